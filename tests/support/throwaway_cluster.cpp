#include "tests/support/throwaway_cluster.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <stdexcept>

#include "core/loopback_port.hpp"
#include "pg/connection.hpp"
#include "tests/support/scratch_folder.hpp"

namespace decant::test {
namespace {

namespace fs = std::filesystem;

/// Waits for the end of the test process (its end of the pipe closes), then stops the server and removes the folder.
/// /proc/PID/exe tells a running server from one that init has not reaped yet.
constexpr const char* janitor_script = R"(cat >/dev/null
pid=$(head -n 1 "$0/data/postmaster.pid" 2>/dev/null)
if [ -n "$pid" ]; then
    kill -QUIT "$pid" 2>/dev/null
    tries=0
    while [ -e "/proc/$pid/exe" ] && [ $tries -lt 200 ]; do tries=$((tries + 1)); sleep 0.05; done
    kill -KILL "$pid" 2>/dev/null
fi
rm -rf "$0")";

std::optional<std::string> named_installation() {
    const char* named = std::getenv("DECANT_POSTGRES_DIR");
    return named == nullptr ? std::nullopt : std::optional<std::string>{named};
}

}  // namespace

ThrowawayCluster& ThrowawayCluster::shared() {
    static ThrowawayCluster cluster;
    return cluster;
}

ThrowawayCluster::ThrowawayCluster(const Options& options)
    : installation_(store::PostgresInstallation::find(named_installation())), account_(store::server_account()) {
    make_folder();
    start_janitor();
    make_cluster(options);
    start();
    pg::Connection::open(conninfo("template1")).exec("CREATE EXTENSION vector");
}

ThrowawayCluster::~ThrowawayCluster() {
    ::close(janitor_lifeline_);
    ::waitpid(janitor_, nullptr, 0);
}

void ThrowawayCluster::make_folder() {
    folder_ = make_scratch_folder("test");
    if (::chown(folder_.c_str(), account_.account.uid, account_.account.gid) != 0)
        throw std::runtime_error("cannot give " + folder_.string() + " to " + account_.name);
}

void ThrowawayCluster::start_janitor() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("cannot make a pipe");
    janitor_ = ::fork();
    if (janitor_ == 0) {
        ::setsid();
        ::dup2(ends[0], STDIN_FILENO);
        const int nowhere = ::open("/dev/null", O_WRONLY);
        ::dup2(nowhere, STDOUT_FILENO);
        ::dup2(nowhere, STDERR_FILENO);
        ::execl("/bin/sh", "sh", "-c", janitor_script, folder_.c_str(), nullptr);
        ::_exit(127);
    }
    ::close(ends[0]);
    janitor_lifeline_ = ends[1];
}

void ThrowawayCluster::make_cluster(const Options& options) {
    const fs::path data = folder_ / "data";
    run(installation_.call("initdb", {"-D", data.string(), "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "-A",
                                      "trust", "--no-sync", "--no-instructions"}));
    std::ofstream{data / "pg_hba.conf"} << "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n";
    std::ofstream conf{data / "postgresql.conf", std::ios::app};
    conf << "listen_addresses = '127.0.0.1'\nunix_socket_directories = '" << folder_.string() << "'\n"
         << "shared_buffers = 128MB\nmax_wal_size = 1GB\n";
    if (!options.is_durable) conf << "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\n";
    for (const std::string& setting : options.settings)
        conf << setting << '\n';
}

void ThrowawayCluster::start() {
    constexpr int tries = 5;
    for (int attempt = 1;; ++attempt) {
        port_ = free_loopback_port();
        try {
            return control({"start", "-l", (folder_ / "log").string(), "-o", fmt::format("-p {}", port_)});
        } catch (const std::runtime_error&) {
            // Somebody else may have taken the port between its choice and the server's bind.
            if (attempt == tries) throw;
        }
    }
}

void ThrowawayCluster::stop(Stop mode) {
    control({"stop", "-m", mode == Stop::fast ? "fast" : "immediate"});
}

void ThrowawayCluster::restart(Stop mode) {
    control({"restart", "-l", (folder_ / "log").string(), "-m", mode == Stop::fast ? "fast" : "immediate"});
}

void ThrowawayCluster::control(const std::vector<std::string>& arguments) const {
    ProgramCall call = installation_.call("pg_ctl", {"-D", (folder_ / "data").string(), "-w", "-s"});
    call.argv.insert(call.argv.end(), arguments.begin(), arguments.end());
    run(call);
}

std::string ThrowawayCluster::run(const ProgramCall& call) const {
    ProgramCall as_server = call;
    as_server.account = account_.account;
    const ProgramResult result = run_program(as_server);
    if (result.exit_code != 0) throw std::runtime_error(call.argv.front() + ": " + result.output);
    return result.output;
}

std::string ThrowawayCluster::create_database() {
    return new_database("template1");
}

std::string ThrowawayCluster::create_bare_database() {
    return new_database("template0");
}

std::string ThrowawayCluster::new_database(const std::string& template_name) {
    const std::string name = fmt::format("test_{}", ++databases_);
    pg::Connection::open(conninfo()).exec(fmt::format("CREATE DATABASE {} TEMPLATE {}", name, template_name));
    return conninfo(name);
}

std::string ThrowawayCluster::conninfo(const std::string& database) const {
    return fmt::format("host={} port={} user=postgres dbname={}", folder_.string(), port_, database);
}

std::string ThrowawayCluster::tcp_conninfo(const std::string& database, const std::string& user,
                                           const std::string& password) const {
    return fmt::format("host=127.0.0.1 port={} user={} password={} dbname={}", port_, user, password, database);
}

pid_t ThrowawayCluster::postmaster_pid() const {
    pid_t pid = -1;
    std::ifstream{folder_ / "data" / "postmaster.pid"} >> pid;
    return pid;
}

}  // namespace decant::test
