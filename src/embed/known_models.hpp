#pragma once

#include <span>
#include <string_view>

#include "embed/embedder.hpp"

namespace decant::embed {

/// Models whose prefixes, length, recipe and thresholds need no settings; the default comes first.
std::span<const Model> known_models();

/// The row of `name`, a tag as in "nomic-embed-text:latest" aside. Null when there is none.
const Model* find_known_model(std::string_view provider, std::string_view name);

/// What settings say of a server's model; it goes before what is known of it by name.
struct ModelSettings {
    std::optional<std::string> passage_prefix = {};
    std::optional<std::string> query_prefix = {};
    std::optional<catalog::TextRecipe> recipe = {};
    std::size_t dimension = 0;  ///< to be asked for; 0: the model's own
};

/// What is known of a server's model before the server is asked. A row of Ollama's serves for other servers too.
Model server_model(const std::string& provider, const std::string& name, const ModelSettings& settings);

}  // namespace decant::embed
