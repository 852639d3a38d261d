#pragma once

#include <string>

#include "store/cluster_place.hpp"

namespace decant::store {

/// The superuser of an embedded server, and the database that waits in it.
/// Not "decant": "$user" comes first in search_path, and decant's own tables are in the schema of that name.
inline constexpr const char* cluster_user = "postgres";
inline constexpr const char* cluster_database = "aynux";

/// Makes the data folder: superuser `decant` with `password`, database `aynux` with the extension vector, peer for the
/// socket and SCRAM for 127.0.0.1. It appears under its name only when all is done, so a killed run leaves none.
/// Throws Error{store_unavailable}.
void make_cluster(const PostgresInstallation& postgres, const ClusterPlace& place, const std::string& password);

/// Writes the settings that `decant db start` owns; postgresql.auto.conf (ALTER SYSTEM) goes before them.
void configure_cluster(const ClusterPlace& place, int port, const std::filesystem::path& socket_folder);

}  // namespace decant::store
