#pragma once

#include <memory>
#include <string>

#include "core/settings.hpp"
#include "embed/embedder.hpp"
#include "embed/server_options.hpp"

namespace decant::embed {

struct EmbedderChoice {
    std::string provider;                     ///< "local", "ollama", "openai", "none"
    std::string model;                        ///< as the provider names it; empty with none
    std::optional<ModelSettings> fixed = {};  ///< in the place of what the settings say of a server's model
};

/// What DECANT_EMBEDDER and the settings of the models say. `auto` is ollama where one of its settings is set, else the
/// embedded model. One that is away is an error, never replaced by another.
EmbedderChoice chosen_embedder(const Settings& settings);

/// What the settings say of a server's model.
ServerOptions server_options(const Settings& settings, const EmbedderChoice& choice);

/// Opens it; a provider that is a server is asked about the model. Null with none.
/// Throws Error: config_invalid, embedder_unavailable, not_found (the server has no such model).
std::unique_ptr<Embedder> open_embedder(const Settings& settings, const EmbedderChoice& choice,
                                        const ServerPatience& patience = {});
inline std::unique_ptr<Embedder> open_embedder(const Settings& settings) {
    return open_embedder(settings, chosen_embedder(settings));
}

/// The same, but none is an error of the settings. `patience` is with a provider that is a server.
std::unique_ptr<Embedder> require_embedder(const Settings& settings, const EmbedderChoice& choice,
                                           const ServerPatience& patience = {});
inline std::unique_ptr<Embedder> require_embedder(const Settings& settings, const ServerPatience& patience = {}) {
    return require_embedder(settings, chosen_embedder(settings), patience);
}

}  // namespace decant::embed
