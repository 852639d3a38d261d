#pragma once

#include <memory>

#include "cli/command_line.hpp"

namespace decant::cli {

/// `decant copy`: collections of a Chroma directory into tables, indexed and verified.
std::unique_ptr<Command> make_copy();

}  // namespace decant::cli
