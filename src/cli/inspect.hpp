#pragma once

#include <memory>

#include "cli/command_line.hpp"

namespace decant::cli {

/// `decant inspect`: what a Chroma directory holds, where its vectors are, what is damaged and what can be had.
std::unique_ptr<Command> make_inspect();

}  // namespace decant::cli
