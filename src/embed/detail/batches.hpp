#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace decant::embed::detail {

/// Places of texts that are run together, by their count of tokens: at most 32 of them, at most 4,096 tokens with the
/// padding to the longest, and of those at most a tenth padding. Each place is in one batch.
std::vector<std::vector<std::size_t>> batches_by_length(std::span<const std::size_t> lengths);

}  // namespace decant::embed::detail
