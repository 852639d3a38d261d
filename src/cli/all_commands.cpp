#include "cli/command_line.hpp"
#include "cli/config.hpp"

namespace decant::cli {

std::vector<std::unique_ptr<Command>> all_commands() {
    std::vector<std::unique_ptr<Command>> commands;
    commands.push_back(make_config());
    return commands;
}

}  // namespace decant::cli
