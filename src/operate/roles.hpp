#pragma once

#include <string>
#include <vector>

#include "pg/connection.hpp"

namespace decant::operate {

/// Three roles of a catalog: who changes its schema, who writes its rows, who only searches.
struct RoleNames {
    std::string owner;
    std::string application;
    std::string reader;
};

/// prefix_owner, prefix_app, prefix_reader.
RoleNames role_names(const std::string& prefix);

/// The statements that make the roles where they are missing and give each what it needs and nothing more, whatever it
/// had of the catalog before; the objects become the owner's, and whoever owned them its member. They may be run again,
/// after a new version of the schema too. Throws Error{not_found} without the catalog's schema, Error{conflict} where a
/// role of these names is a superuser.
std::vector<std::string> plan_roles(pg::Connection& db, const RoleNames& names);

/// Runs them in one transaction. Throws Error{timed_out} where a table stays locked, Error{permission_denied}.
void apply_roles(pg::Connection& db, const std::vector<std::string>& statements);

}  // namespace decant::operate
