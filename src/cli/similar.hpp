#pragma once

#include <memory>

#include "cli/command_line.hpp"

namespace decant::cli {

std::unique_ptr<Command> make_similar();

}  // namespace decant::cli
