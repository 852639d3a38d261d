#include "cli/command_line.hpp"
#include "cli/config.hpp"
#include "cli/copy.hpp"
#include "cli/db.hpp"
#include "cli/inspect.hpp"
#include "cli/migrate.hpp"
#include "cli/products.hpp"
#include "cli/rollback.hpp"
#include "cli/runs.hpp"
#include "cli/schema.hpp"
#include "cli/similar.hpp"
#include "cli/verify.hpp"

namespace decant::cli {

std::vector<std::unique_ptr<Command>> all_commands() {
    std::vector<std::unique_ptr<Command>> commands;
    commands.push_back(make_migrate());
    commands.push_back(make_copy());
    commands.push_back(make_inspect());
    commands.push_back(make_verify());
    for (auto& command : make_rollback())
        commands.push_back(std::move(command));
    for (auto& command : make_products())
        commands.push_back(std::move(command));
    for (auto& command : make_runs())
        commands.push_back(std::move(command));
    commands.push_back(make_similar());
    for (auto& command : make_schema())
        commands.push_back(std::move(command));
    commands.push_back(make_config());
    for (auto& command : make_db())
        commands.push_back(std::move(command));
    return commands;
}

}  // namespace decant::cli
