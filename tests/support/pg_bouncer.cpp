#include "tests/support/pg_bouncer.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <stdexcept>

#include "core/error.hpp"
#include "pg/connection.hpp"
#include "tests/support/eventually.hpp"

namespace decant::test {
namespace {

namespace fs = std::filesystem;

constexpr const char* settings = R"ini([databases]
* = host={cluster} port={port}
[pgbouncer]
listen_addr =
unix_socket_dir = {folder}
listen_port = 6432
pool_mode = transaction
auth_type = trust
auth_file = {folder}/users
default_pool_size = 4
max_client_conn = 50
logfile = {folder}/log
)ini";

bool takes_connections(const std::string& conninfo) {
    try {
        pg::Connection::open(conninfo);
        return true;
    } catch (const Error&) {
        return false;
    }
}

}  // namespace

PgBouncer::PgBouncer(const ThrowawayCluster& cluster) {
    // In the cluster's folder, which its account may enter and which goes with the cluster.
    folder_ = cluster.folder() / "pgbouncer";
    fs::create_directory(folder_);
    std::ofstream{folder_ / "users"} << "\"postgres\" \"\"\n";
    std::ofstream{folder_ / "pgbouncer.ini"}
        << fmt::format(fmt::runtime(settings), fmt::arg("cluster", cluster.folder().string()),
                       fmt::arg("port", cluster.port()), fmt::arg("folder", folder_.string()));
    if (::chown(folder_.c_str(), cluster.account().account.uid, cluster.account().account.gid) != 0)
        throw std::runtime_error("cannot give away " + folder_.string());
    pid_ = ::fork();
    if (pid_ == 0) {
        const ProgramCall call{.argv = {"/usr/sbin/pgbouncer", "-q", (folder_ / "pgbouncer.ini").string()},
                               .account = cluster.account().account};
        try {
            become_program(call);
        } catch (const std::exception&) {
            ::_exit(127);
        }
    }
    // Its socket is there before it listens.
    bool is_up = false;
    eventually(std::chrono::seconds{10}, [&] {
        is_up = takes_connections(conninfo("postgres"));
        return is_up || ::waitpid(pid_, nullptr, WNOHANG) == pid_;
    });
    if (!is_up) throw std::runtime_error("pgbouncer does not start; scripts/setup tests installs it");
}

PgBouncer::~PgBouncer() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    fs::remove_all(folder_);
}

std::string PgBouncer::conninfo(const std::string& database) const {
    return fmt::format("host={} port=6432 user=postgres dbname={}", folder_.string(), database);
}

}  // namespace decant::test
