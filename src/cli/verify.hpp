#pragma once

#include <memory>

#include "cli/command_line.hpp"

namespace decant::cli {

/// `decant verify`: reads copied tables back and compares them with their source or its digests.
std::unique_ptr<Command> make_verify();

}  // namespace decant::cli
