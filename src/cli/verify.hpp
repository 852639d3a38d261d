#pragma once

#include <memory>

#include "cli/command_line.hpp"

namespace decant::cli {

/// `decant verify`: reads copied tables back and compares them with their source or its digests.
std::unique_ptr<Command> make_verify();

/// `decant rollback`: puts back the table that `copy --replace` kept.
std::unique_ptr<Command> make_rollback();

}  // namespace decant::cli
