#pragma once

#include <memory>
#include <vector>

#include "cli/command_line.hpp"

namespace decant::cli {

/// `decant rollback TABLE` (what `copy --replace` kept), `decant rollback` and `decant rollforward` (where products are
/// searched).
std::vector<std::unique_ptr<Command>> make_rollback();

}  // namespace decant::cli
