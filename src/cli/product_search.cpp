#include "cli/product_search.hpp"

#include <fmt/format.h>

#include "cli/running_server.hpp"
#include "cli/served_embedder.hpp"
#include "core/error.hpp"
#include "core/utf8.hpp"
#include "embed/known_models.hpp"
#include "store/database_address.hpp"

namespace decant::cli {

ProductSearch::ProductSearch(const Settings& settings)
    : settings_(settings),
      conninfo_(store::resolve_database(settings).conninfo),
      db_(pg::Connection::open(conninfo_)),
      chroma_(search::ChromaSearch::from(settings)),
      engine_(db_, search::engine_options(settings),
              {.embedder = [this]() -> embed::Embedder& { return embedder(); },
               .connect = [this] { return pg::Connection::open(conninfo_); },
               .chroma = chroma_.get()}) {}

embed::Embedder& ProductSearch::embedder() {
    if (embedder_) return *embedder_;
    const auto open = [this] { return embed::require_embedder(settings_); };
    const embed::EmbedderChoice choice = embed::chosen_embedder(settings_);
    const embed::Model* known = embed::find_known_model(choice.provider, choice.model);
    const auto server = choice.provider == "local" && known != nullptr ? find_running_server(settings_) : std::nullopt;
    embedder_ = server ? open_served_embedder(*server, *known, open) : open();
    return *embedder_;
}

search::Strategy parse_strategy(const std::string& name) {
    if (const auto strategy = search::strategy_names.find(name)) return *strategy;
    throw Error{ErrorCode::request_malformed, fmt::format("There is no search strategy '{}'", printable(name)),
                fmt::format("Name one of {}.", fmt::join(search::strategy_names.names, ", "))};
}

}  // namespace decant::cli
