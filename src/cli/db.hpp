#pragma once

#include <memory>
#include <vector>

#include "cli/command_line.hpp"

namespace decant::cli {

/// decant db start, stop, status, env, psql, destroy: the embedded PostgreSQL of the project.
std::vector<std::unique_ptr<Command>> make_db();

}  // namespace decant::cli
