#pragma once

#include <span>
#include <string_view>

#include "embed/embedder.hpp"

namespace decant::embed {

/// Models whose prefixes, length, recipe and thresholds need no settings; the default comes first.
std::span<const Model> known_models();

/// The row of `name`, a tag as in "nomic-embed-text:latest" aside. Null when there is none.
const Model* find_known_model(std::string_view provider, std::string_view name);

}  // namespace decant::embed
