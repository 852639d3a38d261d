#pragma once

#include <string>

#include "core/settings.hpp"

namespace decant::store {

/// Where the target database is.
struct DatabaseAddress {
    std::string conninfo;  ///< libpq's; may hold a password
    std::string shown;     ///< for messages and run records: never a password
    bool is_embedded;
};

/// DATABASE_URL (`--db` goes before the environment) > DB_HOST with DB_PORT, DB_NAME, DB_USER, DB_PASSWORD > libpq's
/// PGHOST, PGHOSTADDR or PGSERVICE > the embedded server, which is started when it does not run; when one of the others
/// names a server, nothing is started. Does not connect. Throws Error{config_invalid} and what LocalCluster throws.
DatabaseAddress resolve_database(const Settings& settings);

/// libpq's, checked so that no message of libpq shows a part of its password. `name` is that of the option or setting.
/// Throws Error{config_invalid}.
std::string checked_conninfo(const std::string& text, const std::string& name);

/// The setting that names a server other than the embedded one, for messages; empty when none does.
std::string named_server(const Settings& settings);

}  // namespace decant::store
