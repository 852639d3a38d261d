#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>

#include "core/settings.hpp"
#include "store/cluster_place.hpp"

namespace decant::store {

/// A running embedded server.
struct ClusterAddress {
    pid_t pid;
    int port;                             ///< on 127.0.0.1, and in the socket's name
    std::filesystem::path socket_folder;  ///< peer: root and the owner need no password
    std::filesystem::path password_file;  ///< for 127.0.0.1
    std::string user;
    std::string database;

    /// By the Unix socket.
    std::string conninfo() const;
};

/// The embedded PostgreSQL of one project. Its server outlives this process, and survives kill -9 of both. Starts and
/// stops of several processes wait for each other.
class LocalCluster {
public:
    /// The cluster of the working directory's project; DECANT_HOME and DECANT_POSTGRES_DIR are followed.
    static LocalCluster of(const Settings& settings);

    LocalCluster(ClusterPlace place, std::optional<std::string> named_installation);

    /// None when it is not running, or not ready yet.
    std::optional<ClusterAddress> find() const;

    /// Makes the data folder at the first time; does nothing when the server runs.
    /// Throws Error{store_unavailable}, Error{permission_denied}, Error{busy}.
    ClusterAddress start();

    /// False when it was not running. Throws Error{timed_out}.
    bool stop();

    /// Stops the server and removes its data, log and password.
    void destroy();

    const ClusterPlace& place() const noexcept { return place_; }

    /// psql of the same installation, connected to `address`.
    ProgramCall psql(const ClusterAddress& address, const std::vector<std::string>& arguments) const;

private:
    ClusterAddress start_locked();
    void check_nothing_in_the_way() const;
    void check_version() const;
    std::filesystem::path choose_socket_folder(const std::filesystem::path& last_one) const;
    ClusterAddress launch(const PostgresInstallation& postgres, int port, const std::filesystem::path& last_socket);
    ClusterAddress wait_until_ready(std::optional<pid_t> child) const;
    std::string log_since(std::uintmax_t offset) const;
    void remove_socket_folder(const std::filesystem::path& folder) const;
    ClusterAddress address_of(pid_t pid, int port, std::filesystem::path socket_folder) const;

    ClusterPlace place_;
    std::optional<std::string> named_installation_;
};

}  // namespace decant::store
