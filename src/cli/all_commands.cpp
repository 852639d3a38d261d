#include <algorithm>
#include <iterator>

#include "cli/commands.hpp"

namespace decant::cli {

Commands all_commands() {
    Commands commands;
    for (const auto make : {make_migrate,     make_copy,      make_inspect,  make_verify, make_export, make_rollback,
                            make_products,    make_runs,      make_search,   make_chat,   make_query,  make_eval,
                            make_eval_recall, make_threshold, make_synonyms, make_serve,  make_key,    make_embed,
                            make_model,       make_schema,    make_config,   make_db}) {
        std::ranges::move(make(), std::back_inserter(commands));
    }
    return commands;
}

}  // namespace decant::cli
