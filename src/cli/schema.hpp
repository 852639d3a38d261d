#pragma once

#include <memory>
#include <vector>

#include "cli/command_line.hpp"

namespace decant::cli {

/// `decant schema up`, `down`, `status`, `print`.
std::vector<std::unique_ptr<Command>> make_schema();

}  // namespace decant::cli
