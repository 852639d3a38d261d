#include <algorithm>
#include <iterator>

#include "cli/commands.hpp"

namespace decant::cli {

Commands all_commands() {
    Commands commands;
    const auto add = [&](Commands more) { std::ranges::move(more, std::back_inserter(commands)); };
    add(make_migrate());
    add(make_copy());
    add(make_inspect());
    add(make_verify());
    add(make_diff());
    add(make_export());
    add(make_rollback());
    add(make_products());
    add(make_runs());
    add(make_search());
    add(make_chat());
    add(make_query());
    add(make_eval());
    add(make_eval_recall());
    add(make_threshold());
    add(make_quality());
    add(make_ab());
    add(make_synonyms());
    add(make_serve());
    add(make_mcp());
    add(make_key());
    add(make_sync());
    add(make_sync_records());
    add(make_embed());
    add(make_model());
    add(make_model_change());
    add(make_stats());
    add(make_reindex());
    add(make_maintain());
    add(make_doctor());
    add(make_schema());
    add(make_shard());
    add(make_schema_roles());
    add(make_backup());
    add(make_restore());
    add(make_config());
    add(make_db());
    add(make_shell());
    return commands;
}

}  // namespace decant::cli
