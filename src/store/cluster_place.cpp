#include "store/cluster_place.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <span>
#include <string_view>

#include "core/error.hpp"
#include "core/sha256.hpp"

namespace decant::store {
namespace {

namespace fs = std::filesystem;

/// sun_path holds 108 bytes; the rest is room for PostgreSQL's own messages and lock file.
constexpr std::size_t socket_path_limit = 100;

bool belongs_to(const fs::path& folder, uid_t uid) {
    struct stat facts{};
    return ::lstat(folder.c_str(), &facts) == 0 && S_ISDIR(facts.st_mode) && facts.st_uid == uid;
}

bool is_source_tree(const fs::path& folder) {
    std::error_code ignored;
    return fs::exists(folder / "CMakeLists.txt", ignored) && fs::exists(folder / "scripts" / "setup", ignored);
}

/// A .decant of somebody else is passed by: what is in it could have been laid there to be believed.
fs::path project_above(const fs::path& working_folder) {
    for (fs::path folder = working_folder;; folder = folder.parent_path()) {
        if (belongs_to(folder / ".decant", ::geteuid()) || is_source_tree(folder)) return folder;
        if (folder == folder.root_path() || folder.empty()) return working_folder;
    }
}

fs::path home_in(const fs::path& project) {
    const fs::path home = project / ".decant";
    std::error_code ignored;
    if (!fs::exists(fs::symlink_status(home, ignored)) || belongs_to(home, ::geteuid())) return home;
    return project / (".decant-" + own_account_name());
}

std::string short_hash(std::string_view text) {
    constexpr std::size_t bytes = 8;
    const Digest digest = sha256(text);
    return hex(std::span{digest}.first(bytes));
}

void make_folder(const fs::path& folder, const Account& owner) {
    const auto failed = [&](const std::string& why) {
        return Error{ErrorCode::permission_denied,
                     fmt::format("Cannot use {} for the embedded server: {}", folder.string(), why),
                     "correct its owner and mode (0700), or set DECANT_HOME to a folder of yours, or DATABASE_URL to a "
                     "server of your own"};
    };
    std::error_code error;
    fs::create_directories(folder.parent_path(), error);
    if (::mkdir(folder.c_str(), S_IRWXU) == 0) {
        if (::chown(folder.c_str(), owner.uid, owner.gid) != 0) throw failed(std::strerror(errno));
        return;
    }
    if (errno != EEXIST) throw failed(std::strerror(errno));
    if (!belongs_to(folder, owner.uid)) throw failed("it belongs to another account");
    if (::chmod(folder.c_str(), S_IRWXU) != 0) throw failed(std::strerror(errno));
}

}  // namespace

ClusterPlace find_cluster_place(const std::optional<std::string>& home, const fs::path& working_folder) {
    const fs::path project = home ? fs::path{} : project_above(working_folder);
    const fs::path chosen = home ? fs::weakly_canonical(working_folder / *home) : home_in(project);
    ClusterPlace place{.home = chosen, .cluster = chosen, .server = server_account()};
    if (place.server.account.uid != ::geteuid()) {
        place.cluster = fs::path{"/var/lib/decant"} / short_hash(home ? chosen.string() : project.string());
    }
    return place;
}

void make_folders(const ClusterPlace& place) {
    make_folder(place.home, {.uid = ::geteuid(), .gid = ::getegid()});
    if (place.cluster != place.home) make_folder(place.cluster, place.server.account);
}

std::optional<fs::path> socket_folder_in(const fs::path& data) {
    constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./+-";
    const std::string longest = (data / ".s.PGSQL.65535").string();
    if (longest.size() > socket_path_limit || longest.find_first_not_of(plain) != std::string::npos)
        return std::nullopt;
    return data;
}

}  // namespace decant::store
