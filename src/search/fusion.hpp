#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "search/hit.hpp"

namespace decant::search {

/// The hits of both, one a product, with the higher similarity, the most similar first.
std::vector<Hit> merge_by_similarity(std::vector<Hit> a, std::vector<Hit> b);

/// One list by a weighted sum of both scores, each brought to the range from 0 to 1 in its own list. A product that
/// only one list has gets nothing from the other. `semantic` under `threshold` counts only where `words` has it too.
std::vector<Hit> fuse(std::span<const Hit> semantic, std::span<const Hit> words, double threshold, double words_weight);

/// Of fuse: more for a question that names a thing by a code (a sku, barcode or model number) than by its meaning.
double words_weight_of(std::string_view text) noexcept;

}  // namespace decant::search
