#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/option_table.hpp"

namespace decant::cli {

/// Options that every command takes.
struct GlobalOptions {
    bool json = false;
    bool version = false;
    bool help = false;
    std::optional<std::string> db;

    void declare(Options& options);
};

/// `decant --help`, and `decant db --help` when `group` is "db": the commands with their summaries.
std::string overview_help(const std::vector<std::unique_ptr<Command>>& commands, const std::string& group);

/// `decant copy --help`.
std::string command_help(Command& command);

}  // namespace decant::cli
