#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pg/connection.hpp"

namespace decant::operate {

struct DatabaseGrant {
    std::string role;  ///< empty: PUBLIC
    std::string privilege;
    bool is_grantable = false;
};

/// ALTER DATABASE … SET, or ALTER ROLE … IN DATABASE … SET.
struct DatabaseSetting {
    std::string role;  ///< empty: for all
    std::string name;
    std::string value;
};

/// What belongs to a database and stands in no dump of it.
struct DatabaseProperties {
    std::string name;
    std::string encoding;
    std::string provider;  ///< libc, icu, builtin
    std::string collate;
    std::string ctype;
    std::string locale;  ///< of the providers icu and builtin; else empty
    std::string owner;
    std::optional<std::vector<DatabaseGrant>> grants;  ///< none: the server's defaults
    std::vector<DatabaseSetting> settings;
    std::vector<std::string> roles;       ///< owners and grantees of what is in it
    std::vector<std::string> extensions;  ///< made before the server's first start: pg_dump leaves them out
};

/// Of the connected database.
DatabaseProperties read_database_properties(pg::Connection& db);

/// Those of its roles that the server lacks.
std::vector<std::string> missing_roles(pg::Connection& db, const DatabaseProperties& properties);

/// The statement that makes an empty database of these properties under another name; `owner` empty: the connected
/// role's.
std::string create_database_sql(pg::Connection& db, const DatabaseProperties& properties, const std::string& name,
                                const std::string& owner);

/// Gives database `name` the grants and settings. What this role may not set is left out and told: one sentence each.
std::vector<std::string> apply_properties(pg::Connection& db, const DatabaseProperties& properties,
                                          const std::string& name);

}  // namespace decant::operate
