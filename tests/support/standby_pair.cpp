#include "tests/support/standby_pair.hpp"

#include <fmt/format.h>
#include <signal.h>

#include <cstdlib>
#include <fstream>
#include <stdexcept>

#include "pg/connection.hpp"

namespace decant::test {
namespace {

namespace fs = std::filesystem;

/// In the place of what the cluster had.
void make_standby(ThrowawayCluster& cluster, const ThrowawayCluster& primary) {
    cluster.stop(ThrowawayCluster::Stop::immediate);
    const fs::path data = cluster.folder() / "data";
    fs::remove_all(data);
    ProgramCall call = cluster.installation().call("pg_basebackup", {"-D", data.string(), "-d", primary.conninfo(),
                                                                     "-R", "-X", "stream", "-c", "fast", "--no-sync"});
    call.account = cluster.account().account;
    const ProgramResult result = run_program(call);
    if (result.exit_code != 0) throw std::runtime_error(result.output);
    std::ofstream{data / "postgresql.conf", std::ios::app}
        << fmt::format("unix_socket_directories = '{}'\n", cluster.folder().string());
    cluster.start();
}

}  // namespace

StandbyPair::StandbyPair() {
    std::ofstream{primary.folder() / "data" / "pg_hba.conf", std::ios::app} << "local replication all trust\n";
    exec(primary, "SELECT pg_reload_conf()");
    make_standby(first, primary);
    make_standby(second, primary);
}

std::string StandbyPair::host_of(const ThrowawayCluster& cluster) {
    return fmt::format("{}:{}", cluster.folder().string(), cluster.port());
}

void StandbyPair::exec(const ThrowawayCluster& cluster, const std::string& sql) {
    pg::Connection::open(cluster.conninfo()).exec(sql);
}

void StandbyPair::pause_both() const {
    for (const ThrowawayCluster* cluster : {&first, &second})
        exec(*cluster, "SELECT pg_wal_replay_pause()");
}

void StandbyPair::resume_both() const {
    for (const ThrowawayCluster* cluster : {&first, &second})
        exec(*cluster, "SELECT pg_wal_replay_resume()");
}

void signal_all(const ThrowawayCluster& cluster, int number) {
    const pid_t server = cluster.postmaster_pid();
    if (server <= 1) throw std::runtime_error("no server runs in " + cluster.folder().string());  // -1 would be all
    ::kill(server, number);
    for (const auto& entry : fs::directory_iterator{"/proc"}) {
        const std::string name = entry.path().filename().string();
        if (name.find_first_not_of("0123456789") != std::string::npos) continue;
        std::ifstream file{entry.path() / "stat"};
        std::string stat;
        std::getline(file, stat);
        // "PID (postgres) S PARENT ..."; the name may hold anything.
        const std::size_t end = stat.rfind(')');
        if (end == std::string::npos || end + 4 > stat.size()) continue;
        if (std::atoi(stat.c_str() + end + 4) == server) ::kill(std::atoi(name.c_str()), number);
    }
}

}  // namespace decant::test
