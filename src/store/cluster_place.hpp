#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "store/postgres_installation.hpp"

namespace decant::store {

/// The folders of one project's embedded server. Two projects, and two accounts in one project, never share one.
struct ClusterPlace {
    std::filesystem::path home;     ///< ours, 0700: pgpass and lock
    std::filesystem::path cluster;  ///< the server account's, 0700: data/, server.log; the same as home unless root
    ServerAccount server;

    std::filesystem::path data() const { return cluster / "data"; }
    std::filesystem::path log() const { return cluster / "server.log"; }
    std::filesystem::path pgpass() const { return home / "pgpass"; }
    std::filesystem::path lock() const { return home / "lock"; }
};

/// `home` is DECANT_HOME when set, else .decant in the project: the nearest folder from `working_folder` upwards that
/// has a .decant of this account or is a source tree of decant, else `working_folder` itself. Makes nothing.
ClusterPlace find_cluster_place(const std::optional<std::string>& home, const std::filesystem::path& working_folder);

/// Makes both folders. Throws Error{permission_denied}, also when one is there and belongs to another account.
void make_folders(const ClusterPlace& place);

/// Where the server puts its Unix socket: its data folder when the socket's path stays within 100 bytes and needs no
/// quoting in postgresql.conf, else none: a new folder under the temporary directory is to be made.
std::optional<std::filesystem::path> socket_folder_in(const std::filesystem::path& data);

}  // namespace decant::store
