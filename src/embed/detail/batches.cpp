#include "embed/detail/batches.hpp"

#include <algorithm>
#include <numeric>

namespace decant::embed::detail {
namespace {

constexpr std::size_t most_texts = 32;
constexpr std::size_t most_tokens = 4096;

}  // namespace

std::vector<std::vector<std::size_t>> batches_by_length(std::span<const std::size_t> lengths) {
    std::vector<std::size_t> order(lengths.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    // The longest first: memory is at its peak at once, and each batch's width is that of its first text.
    std::ranges::sort(order, [&](std::size_t a, std::size_t b) {
        return lengths[a] == lengths[b] ? a < b : lengths[a] > lengths[b];
    });
    std::vector<std::vector<std::size_t>> batches;
    std::size_t tokens = 0;
    for (const std::size_t place : order) {
        if (!batches.empty()) {
            std::vector<std::size_t>& batch = batches.back();
            const std::size_t padded = lengths[batch.front()] * (batch.size() + 1);
            const bool is_even = (padded - tokens - lengths[place]) * 10 <= padded;
            if (batch.size() < most_texts && padded <= most_tokens && is_even) {
                batch.push_back(place);
                tokens += lengths[place];
                continue;
            }
        }
        batches.push_back({place});
        tokens = lengths[place];
    }
    return batches;
}

}  // namespace decant::embed::detail
