#pragma once

#include <string>

#include "cli/command_line.hpp"
#include "core/json.hpp"

namespace decant::cli {

/// Asks before all vectors of the catalog are removed; false when the answer is no. Throws as confirm().
bool confirm_catalog_removal(const Context& context, const std::string& command);

/// What `decant schema down` and `decant rollback --complete` do; what was undone goes to `out`, and is printed unless
/// JSON is wanted.
void remove_catalog_support(const Context& context, json::object& out);

}  // namespace decant::cli
