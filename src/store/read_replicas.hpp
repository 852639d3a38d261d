#pragma once

#include <string>
#include <vector>

#include "core/settings.hpp"
#include "store/database_address.hpp"

namespace decant::store {

/// One hot standby that answers searches.
struct ReplicaAddress {
    std::string name;      ///< "host:port", for messages and metrics
    std::string conninfo;  ///< libpq's; may hold a password
};

/// DB_READ_HOSTS, as host:port with commas; a port that is left out is `primary`'s, and so are user, password, database
/// and all else. A replica that is not to be reached is noticed within seconds unless `primary` says otherwise.
/// Throws Error{config_invalid}.
std::vector<ReplicaAddress> read_replicas(const Settings& settings, const DatabaseAddress& primary);

}  // namespace decant::store
