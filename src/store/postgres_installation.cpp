#include "store/postgres_installation.hpp"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <cstdlib>
#include <system_error>

#include "core/error.hpp"

namespace decant::store {
namespace {

namespace fs = std::filesystem;

/// scripts/lib/postgres.sh unpacks into this name.
constexpr std::string_view folder_name = "postgresql-18.1-pgvector-0.8.5";

bool holds_postgres(const fs::path& folder) {
    std::error_code ignored;
    return fs::exists(folder / "bin" / "postgres", ignored);
}

std::optional<fs::path> above_this_program() {
    std::error_code failed;
    const fs::path self = fs::read_symlink("/proc/self/exe", failed);
    for (fs::path folder = self.parent_path(); !folder.empty(); folder = folder.parent_path()) {
        if (holds_postgres(folder / ".deps" / folder_name)) return folder / ".deps" / folder_name;
        if (folder == folder.root_path()) break;
    }
    return std::nullopt;
}

std::optional<ServerAccount> account_named(const char* name) {
    const passwd* entry = ::getpwnam(name);
    if (entry == nullptr) return std::nullopt;
    return ServerAccount{.account = {entry->pw_uid, entry->pw_gid}, .name = name};
}

}  // namespace

PostgresInstallation PostgresInstallation::find(const std::optional<std::string>& named) {
    if (named) {
        if (holds_postgres(*named)) return PostgresInstallation{fs::absolute(*named)};
        throw Error{ErrorCode::store_unavailable,
                    fmt::format("DECANT_POSTGRES_DIR '{}' holds no PostgreSQL: bin/postgres is missing", *named),
                    "correct or unset DECANT_POSTGRES_DIR, or set DATABASE_URL to a server of your own"};
    }
    const fs::path shared = fs::path{"/var/lib/decant"} / folder_name;
    if (holds_postgres(shared)) return PostgresInstallation{shared};
    if (const auto own = above_this_program()) return PostgresInstallation{*own};
    throw Error{ErrorCode::store_unavailable,
                fmt::format("The embedded PostgreSQL is not installed: {} is missing", shared.string()),
                "run scripts/setup, or set DATABASE_URL to a server of your own"};
}

ProgramCall PostgresInstallation::call(std::string_view program, const std::vector<std::string>& arguments) const {
    ProgramCall call{.argv = {(folder_ / "bin" / program).string()}};
    call.argv.insert(call.argv.end(), arguments.begin(), arguments.end());
    call.environment = {"LD_LIBRARY_PATH=" + (folder_ / "lib").string()};
    return call;
}

ServerAccount server_account() {
    if (::geteuid() != 0) return {.account = {::geteuid(), ::getegid()}, .name = own_account_name()};
    if (auto decant = account_named("decant")) return *decant;
    if (auto nobody = account_named("nobody")) return *nobody;
    throw Error{ErrorCode::config_invalid, "PostgreSQL refuses to run as root, and there is no user decant or nobody",
                "run scripts/setup, which makes the user decant"};
}

std::string own_account_name() {
    const passwd* entry = ::getpwuid(::geteuid());
    return entry == nullptr ? std::to_string(::geteuid()) : std::string{entry->pw_name};
}

}  // namespace decant::store
