#include "cli/command_line.hpp"

namespace decant::cli {

std::vector<std::unique_ptr<Command>> all_commands() {
    std::vector<std::unique_ptr<Command>> commands;
    return commands;
}

}  // namespace decant::cli
