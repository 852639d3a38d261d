#pragma once

#include <memory>
#include <vector>

#include "cli/command_line.hpp"

namespace decant::cli {

/// products load, list, show
std::vector<std::unique_ptr<Command>> make_products();

}  // namespace decant::cli
