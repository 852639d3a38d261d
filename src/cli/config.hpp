#pragma once

#include <memory>

#include "cli/command_line.hpp"

namespace decant::cli {

/// `decant config`: the settings, with the origin of each; secrets as ***.
std::unique_ptr<Command> make_config();

}  // namespace decant::cli
