#pragma once

#include <memory>
#include <vector>

#include "cli/command_line.hpp"

namespace decant::cli {

/// `decant runs list|show|prune`: the run records.
std::vector<std::unique_ptr<Command>> make_runs();

}  // namespace decant::cli
