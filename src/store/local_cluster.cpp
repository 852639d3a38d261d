#include "store/local_cluster.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <thread>
#include <utility>

#include "core/error.hpp"
#include "core/loopback_port.hpp"
#include "pg/connection.hpp"
#include "pg/conninfo.hpp"
#include "store/cluster_maker.hpp"
#include "store/password_file.hpp"
#include "store/postmaster.hpp"

namespace decant::store {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr auto poll_interval = 10ms;
constexpr auto lock_patience = 120s;
constexpr auto recovery_patience = 300s;
constexpr auto stop_patience = 60s;

/// Held while a server is made, started or stopped; the kernel drops it when the process dies.
class StartLock {
public:
    explicit StartLock(const fs::path& file)
        : fd_(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR)) {
        const auto deadline = std::chrono::steady_clock::now() + lock_patience;
        while (fd_ >= 0 && ::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
            if (errno != EWOULDBLOCK && errno != EINTR) break;
            if (std::chrono::steady_clock::now() > deadline) {
                ::close(fd_);
                throw Error{
                    ErrorCode::busy,
                    fmt::format("Another decant has been starting or stopping the embedded server for {} s ({})",
                                lock_patience.count(), file.string()),
                    "end that process, then run it again"};
            }
            std::this_thread::sleep_for(poll_interval);
        }
        if (fd_ < 0) {
            throw Error{ErrorCode::permission_denied,
                        fmt::format("Cannot open {}: {}", file.string(), std::strerror(errno)),
                        "correct its owner, or set DECANT_HOME to a folder of yours"};
        }
    }
    StartLock(const StartLock&) = delete;
    StartLock& operator=(const StartLock&) = delete;
    ~StartLock() { ::close(fd_); }

private:
    int fd_;
};

bool is_private_folder_of(const fs::path& folder, uid_t uid) {
    struct stat facts{};
    return ::lstat(folder.c_str(), &facts) == 0 && S_ISDIR(facts.st_mode) && facts.st_uid == uid &&
           (facts.st_mode & (S_IRWXG | S_IRWXO)) == 0;
}

bool is_there(const fs::path& path) {
    std::error_code ignored;
    return fs::exists(path, ignored);
}

}  // namespace

std::string ClusterAddress::conninfo() const {
    return pg::conninfo_of(
        {{"host", socket_folder.string()}, {"port", std::to_string(port)}, {"user", user}, {"dbname", database}});
}

LocalCluster LocalCluster::of(const Settings& settings) {
    return {find_cluster_place(settings.get("DECANT_HOME"), fs::current_path()), settings.get("DECANT_POSTGRES_DIR")};
}

LocalCluster::LocalCluster(ClusterPlace place, std::optional<std::string> named_installation)
    : place_(std::move(place)), named_installation_(std::move(named_installation)) {}

ClusterAddress LocalCluster::address_of(pid_t pid, int port, fs::path socket_folder) const {
    return {.pid = pid,
            .port = port,
            .socket_folder = std::move(socket_folder),
            .password_file = place_.pgpass(),
            .user = cluster_user,
            .database = cluster_database};
}

std::optional<ClusterAddress> LocalCluster::find() const {
    const auto running = find_postmaster(place_.data());
    if (!running || !running->is_ready) return std::nullopt;
    return address_of(running->pid, running->port, running->socket_folder);
}

ClusterAddress LocalCluster::start() {
    // Before a folder is made: without an installation nothing is to be left behind.
    if (!is_there(place_.data())) PostgresInstallation::find(named_installation_);
    make_folders(place_);
    const StartLock lock{place_.lock()};
    return start_locked();
}

ClusterAddress LocalCluster::start_locked() {
    // Also a server whose starter was killed before it was ready.
    const bool is_running = find_postmaster(place_.data()).has_value();
    const auto known = read_password_file(place_.pgpass());
    const PasswordFile secret = known.value_or(PasswordFile{.port = 0, .password = random_password()});
    ClusterAddress address;
    if (is_running) {
        address = wait_until_ready(std::nullopt);
    } else {
        const PostgresInstallation postgres = PostgresInstallation::find(named_installation_);
        if (!is_there(place_.data() / "PG_VERSION")) {
            check_nothing_in_the_way();
            make_cluster(postgres, place_, secret.password);
        }
        check_version();
        address = launch(postgres, secret.port, clear_leftovers(place_.data(), place_.server.account));
    }
    if (known && known->port == address.port) return address;
    auto db = pg::Connection::open(address.conninfo());
    db.exec(fmt::format("ALTER ROLE {} PASSWORD {}", cluster_user, db.quote_literal(secret.password)));
    write_password_file(place_.pgpass(), {.port = address.port, .password = secret.password}, cluster_user);
    return address;
}

void LocalCluster::check_nothing_in_the_way() const {
    std::error_code ignored;
    if (!is_there(place_.data()) || fs::is_empty(place_.data(), ignored)) return;
    throw Error{ErrorCode::conflict,
                fmt::format("{} holds files but no PG_VERSION: it is damaged, or was not made by PostgreSQL",
                            place_.data().string()),
                "put it back from a backup, or remove it for good with: decant db destroy --yes"};
}

void LocalCluster::check_version() const {
    constexpr int version = 18;
    int found = 0;
    std::ifstream{place_.data() / "PG_VERSION"} >> found;
    if (found == version) return;
    throw Error{ErrorCode::conflict,
                fmt::format("The data folder {} is of PostgreSQL {}, the embedded server is PostgreSQL {}",
                            place_.data().string(), found, version),
                "move its data with that version's pg_dump, then run decant db destroy"};
}

fs::path LocalCluster::choose_socket_folder(const fs::path& last_one) const {
    const Account& owner = place_.server.account;
    if (const auto folder = socket_folder_in(place_.data())) return *folder;
    if (!last_one.empty() && is_private_folder_of(last_one, owner.uid)) return last_one;
    std::string pattern = (fs::temp_directory_path() / "decant-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr || ::chown(pattern.c_str(), owner.uid, owner.gid) != 0) {
        throw Error{
            ErrorCode::store_unavailable,
            fmt::format("Cannot make a folder for the server's socket as {}: {}", pattern, std::strerror(errno)),
            "make the temporary directory writable, or set TMPDIR to one that is"};
    }
    return pattern;
}

ClusterAddress LocalCluster::launch(const PostgresInstallation& postgres, int port, const fs::path& last_socket) {
    constexpr int tries = 5;
    const fs::path socket_folder = choose_socket_folder(last_socket);
    for (int attempt = 1;; ++attempt) {
        const int chosen = attempt == 1 && is_loopback_port_free(port) ? port : free_loopback_port();
        configure_cluster(place_, chosen, socket_folder);
        const std::uintmax_t offset = is_there(place_.log()) ? fs::file_size(place_.log()) : 0;
        ProgramCall call = postgres.call("postgres", {"-D", fs::canonical(place_.data()).string()});
        call.account = place_.server.account;
        const pid_t child = start_daemon(call, place_.log().string());
        try {
            return wait_until_ready(child);
        } catch (const Error& error) {
            // Somebody else may have taken the port between its choice and the server's bind.
            const bool is_port_taken = log_since(offset).find("could not bind") != std::string::npos;
            if (error.code() != ErrorCode::store_unavailable) throw;
            if (is_port_taken && attempt < tries) continue;
            throw Error{
                ErrorCode::store_unavailable,
                fmt::format("The embedded server of {} did not start: {}", place_.data().string(), log_since(offset)),
                fmt::format("see {}", place_.log().string())};
        }
    }
}

ClusterAddress LocalCluster::wait_until_ready(std::optional<pid_t> child) const {
    const auto deadline = std::chrono::steady_clock::now() + recovery_patience;
    while (std::chrono::steady_clock::now() < deadline) {
        if (const auto address = find()) return *address;
        const bool is_gone = child ? exit_code_if_ended(*child).has_value() : !find_postmaster(place_.data());
        if (is_gone) {
            throw Error{ErrorCode::store_unavailable,
                        fmt::format("The embedded server of {} ended while it started", place_.data().string()),
                        fmt::format("see {}, then run decant db start again", place_.log().string())};
        }
        std::this_thread::sleep_for(poll_interval);
    }
    throw Error{ErrorCode::timed_out,
                fmt::format("The embedded server of {} is still recovering after {} s", place_.data().string(),
                            recovery_patience.count()),
                fmt::format("run it again later; {} tells how far it is", place_.log().string())};
}

/// At most the last 2 KiB.
std::string LocalCluster::log_since(std::uintmax_t offset) const {
    constexpr std::size_t limit = 2048;
    std::ifstream stream{place_.log(), std::ios::binary};
    stream.seekg(static_cast<std::streamoff>(offset));
    std::string text{std::istreambuf_iterator<char>{stream}, {}};
    return text.size() > limit ? text.substr(text.size() - limit) : text;
}

bool LocalCluster::stop() {
    if (!is_there(place_.home)) return false;
    const StartLock lock{place_.lock()};
    const auto running = find_postmaster(place_.data());
    if (!running) return false;
    const bool is_ended =
        end_postmaster(place_.data(), SIGINT, stop_patience) || end_postmaster(place_.data(), SIGQUIT, stop_patience);
    if (!is_ended) {
        throw Error{ErrorCode::timed_out, fmt::format("The embedded server (pid {}) does not stop", running->pid),
                    fmt::format("see {}", place_.log().string())};
    }
    remove_socket_folder(running->socket_folder);
    return true;
}

void LocalCluster::destroy() {
    if (!is_there(place_.home)) return;
    const StartLock lock{place_.lock()};
    const auto running = find_postmaster(place_.data());
    end_postmaster(place_.data(), SIGQUIT, stop_patience);
    if (running) remove_socket_folder(running->socket_folder);
    if (is_there(place_.data())) clear_leftovers(place_.data(), place_.server.account);
    for (const fs::path& path : {place_.data(), place_.log(), place_.pgpass()})
        fs::remove_all(path);
    if (place_.cluster != place_.home) fs::remove_all(place_.cluster);
}

void LocalCluster::remove_socket_folder(const fs::path& folder) const {
    if (folder.empty() || folder == place_.data() || folder == fs::canonical(place_.data())) return;
    std::error_code ignored;
    fs::remove_all(folder, ignored);
}

ProgramCall LocalCluster::psql(const ClusterAddress& address, const std::vector<std::string>& arguments) const {
    ProgramCall call = PostgresInstallation::find(named_installation_).call("psql", {"-d", address.conninfo()});
    call.argv.insert(call.argv.end(), arguments.begin(), arguments.end());
    call.environment.push_back("PGPASSFILE=" + address.password_file.string());
    call.directory = fs::current_path().string();
    return call;
}

}  // namespace decant::store
