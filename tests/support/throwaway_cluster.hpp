#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include "store/postgres_installation.hpp"

namespace decant::test {

/// A private PostgreSQL with pgvector in a temporary folder. It goes with this object, and also when the test process
/// is killed. Throws decant::Error when the embedded PostgreSQL is not installed: such a test fails, it is not skipped.
class ThrowawayCluster {
public:
    enum class Stop { fast, immediate };

    struct Options {
        bool is_durable = false;                 ///< fsync and full_page_writes, for tests that kill the server
        std::vector<std::string> settings = {};  ///< "name=value" lines of postgresql.conf
    };

    /// One for all tests of this process, started at the first call. Not for tests that stop it or change its settings.
    static ThrowawayCluster& shared();

    ThrowawayCluster() : ThrowawayCluster(Options{}) {}
    explicit ThrowawayCluster(const Options& options);
    ThrowawayCluster(const ThrowawayCluster&) = delete;
    ThrowawayCluster& operator=(const ThrowawayCluster&) = delete;
    ~ThrowawayCluster();

    /// The conninfo (superuser postgres, Unix socket) of a new database that has the extension vector.
    std::string create_database();
    /// As above without the extension.
    std::string create_bare_database();
    std::string conninfo(const std::string& database = "postgres") const;
    /// By 127.0.0.1, where a password is asked: give roles one with ALTER ROLE.
    std::string tcp_conninfo(const std::string& database, const std::string& user, const std::string& password) const;

    void stop(Stop mode);
    void start();
    void restart(Stop mode);
    pid_t postmaster_pid() const;
    int port() const noexcept { return port_; }

    /// The folder of the Unix socket, and of whatever else belongs to the cluster (data/, log). 0700, the server's own.
    const std::filesystem::path& folder() const noexcept { return folder_; }
    const store::PostgresInstallation& installation() const noexcept { return installation_; }
    const store::ServerAccount& account() const noexcept { return account_; }

private:
    std::string new_database(const std::string& template_name);
    void make_folder();
    void start_janitor();
    void make_cluster(const Options& options);
    void control(const std::vector<std::string>& arguments) const;
    std::string run(const ProgramCall& call) const;

    store::PostgresInstallation installation_;
    store::ServerAccount account_;
    std::filesystem::path folder_;
    int port_ = 0;
    int databases_ = 0;
    pid_t janitor_ = -1;
    int janitor_lifeline_ = -1;
};

}  // namespace decant::test
