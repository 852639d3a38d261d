#include "cli/product_search.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/running_server.hpp"
#include "cli/served_embedder.hpp"
#include "core/error.hpp"
#include "core/utf8.hpp"
#include "embed/known_models.hpp"
#include "store/database_address.hpp"

namespace decant::cli {

namespace {

search::EngineOptions options_of(const Settings& settings, bool is_sharded) {
    search::EngineOptions options = search::engine_options(settings);
    options.is_sharded = options.is_sharded || is_sharded;
    return options;
}

}  // namespace

ProductSearch::ProductSearch(const Settings& settings, bool is_sharded)
    : settings_(settings),
      conninfo_(store::resolve_database(settings).conninfo),
      db_(pg::Connection::open(conninfo_)),
      chroma_(search::ChromaSearch::from(settings)),
      engine_(db_, options_of(settings, is_sharded),
              {.embedder_of = [this](const auto& column) -> embed::Embedder& { return embedder_of(column); },
               .connect = [this] { return std::make_shared<pg::Connection>(pg::Connection::open(conninfo_)); },
               .chroma = chroma_.get()}) {}

embed::Embedder& ProductSearch::embedder() {
    return embedder_of(store::read_column_model(db_));
}

embed::Embedder& ProductSearch::embedder_of(const std::optional<store::ColumnModel>& column) {
    const auto known_column = std::ranges::find(opened_, column, &Opened::column);
    if (known_column != opened_.end()) return *known_column->embedder;
    const auto open = [this, column] { return work::open_catalog_embedder(settings_, column); };
    const embed::EmbedderChoice choice = work::catalog_choice(settings_, column);
    const embed::Model* known = embed::find_known_model(choice.provider, choice.model);
    const auto server = choice.provider == "local" && known != nullptr ? find_running_server(settings_) : std::nullopt;
    opened_.push_back({column, server ? open_served_embedder(*server, *known, open) : open()});
    return *opened_.back().embedder;
}

search::Strategy parse_strategy(const std::string& name) {
    if (const auto strategy = search::strategy_names.find(name)) return *strategy;
    throw Error{ErrorCode::request_malformed, fmt::format("There is no search strategy '{}'", printable(name)),
                fmt::format("Name one of {}.", fmt::join(search::strategy_names.names, ", "))};
}

}  // namespace decant::cli
