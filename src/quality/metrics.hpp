#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace decant::quality {

// Grades of what was found stand in the order in which it was found, 0 for what was not judged; grades of what was
// judged in any order. As trec_eval counts them, but for the gain of nDCG.

/// Discounted cumulative gain of the first `cut` over that of the best order of all that was judged. The gain of grade
/// g is 2^g - 1, the discount of rank r is log2(r + 1). 0 where nothing that was judged is of use.
double ndcg(std::span<const int> found, std::span<const int> judged, std::size_t cut);

/// The share of what was judged at least `relevant` that is among the first `cut`; 0 where there is nothing such.
double recall(std::span<const int> found, std::span<const int> judged, std::size_t cut, int relevant);

/// 1 / rank of the first that is at least `relevant` among the first `cut`, else 0.
double reciprocal_rank(std::span<const int> found, std::size_t cut, int relevant);

/// None where there are none.
std::optional<double> mean(std::span<const double> values);

/// By nearest rank: the least value that `share` (over 0, up to 1) of all do not exceed. Of nothing: 0.
double percentile(std::vector<double> values, double share);

}  // namespace decant::quality
