#pragma once

#include <memory>
#include <vector>

#include "cli/command_line.hpp"

/// What each file of commands gives to all_commands(). A new command: a class whose constructor tells Command its name,
/// summary and examples, in a make_ function here and in the list of all_commands.cpp.
namespace decant::cli {

using Commands = std::vector<std::unique_ptr<Command>>;

/// One of each of these classes, in this order.
template <typename... Each>
Commands commands_of() {
    Commands commands;
    (commands.push_back(std::make_unique<Each>()), ...);
    return commands;
}

Commands make_migrate();
Commands make_copy();
Commands make_inspect();
Commands make_verify();
Commands make_export();
/// `rollback TABLE` (what `copy --replace` kept); `rollback` and `rollforward` (where products are searched).
Commands make_rollback();
Commands make_products();
Commands make_runs();
/// search and similar.
Commands make_search();
/// `chat` and `chat forget`.
Commands make_chat();
Commands make_eval();
Commands make_eval_recall();
Commands make_threshold();
/// query, of copied tables.
Commands make_query();
/// synonyms add, list, remove and load.
Commands make_synonyms();
Commands make_model();
/// embed, worker and jobs.
Commands make_embed();
/// serve and reload.
Commands make_serve();
/// key create, list and revoke, of the HTTP API.
Commands make_key();
Commands make_schema();
Commands make_config();
/// The embedded PostgreSQL of the project.
Commands make_db();

/// --embedder and --model, of every command that embeds.
void declare_embedder(Options& options);

}  // namespace decant::cli
