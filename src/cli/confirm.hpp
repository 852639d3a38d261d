#pragma once

#include <string>

namespace decant::cli {

/// Asks on the terminal; true for "yes". Where stdin is no terminal nothing is asked: Error{request_invalid} that says
/// `danger` ("db destroy removes ..."), with `command` and --yes as the remedy.
bool confirm(const std::string& danger, const std::string& command);

}  // namespace decant::cli
