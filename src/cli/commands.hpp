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
Commands make_diff();
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
/// quality and `quality failed`.
Commands make_quality();
/// ab start, status, stop and report.
Commands make_ab();
/// query, of copied tables.
Commands make_query();
/// synonyms add, list, remove and load.
Commands make_synonyms();
Commands make_model();
/// model change, rollback, forget and status.
Commands make_model_change();
/// sync dux, status, history, quarantine and cancel.
Commands make_sync();
/// sync csv and sync sql.
Commands make_sync_records();
/// embed, worker and jobs.
Commands make_embed();
/// serve and reload.
Commands make_serve();
/// The Model Context Protocol over stdin and stdout.
Commands make_mcp();
/// key create, list and revoke, of the HTTP API.
Commands make_key();
/// What is wrong, and how to mend it.
Commands make_doctor();
/// stats, missing, stale and analyze, of the catalog.
Commands make_stats();
Commands make_reindex();
/// `maintain` and `maintain recall`.
Commands make_maintain();
Commands make_schema();
/// schema shard.
Commands make_shard();
Commands make_config();
/// completion and man.
Commands make_shell();
/// backup, `backup verify` and `backup list`.
Commands make_backup();
Commands make_restore();
/// schema roles.
Commands make_schema_roles();
/// The embedded PostgreSQL of the project.
Commands make_db();

/// --embedder and --model, of every command that embeds.
void declare_embedder(Options& options);

}  // namespace decant::cli
