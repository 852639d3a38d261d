#include "quality/metrics.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

namespace decant::quality {
namespace {

double discounted_gain(std::span<const int> grades, std::size_t cut) {
    double sum = 0;
    for (std::size_t i = 0; i < std::min(grades.size(), cut); ++i)
        sum += (std::exp2(grades[i]) - 1) / std::log2(static_cast<double>(i) + 2);
    return sum;
}

}  // namespace

double ndcg(std::span<const int> found, std::span<const int> judged, std::size_t cut) {
    std::vector<int> best(judged.begin(), judged.end());
    std::ranges::sort(best, std::greater{});
    const double ideal = discounted_gain(best, cut);
    return ideal > 0 ? discounted_gain(found, cut) / ideal : 0;
}

double recall(std::span<const int> found, std::span<const int> judged, std::size_t cut, int relevant) {
    const auto is_relevant = [relevant](int grade) { return grade >= relevant; };
    const auto all = std::ranges::count_if(judged, is_relevant);
    const auto hit = std::ranges::count_if(found.first(std::min(found.size(), cut)), is_relevant);
    return all == 0 ? 0 : static_cast<double>(hit) / static_cast<double>(all);
}

double reciprocal_rank(std::span<const int> found, std::size_t cut, int relevant) {
    for (std::size_t i = 0; i < std::min(found.size(), cut); ++i) {
        if (found[i] >= relevant) return 1 / static_cast<double>(i + 1);
    }
    return 0;
}

std::optional<double> mean(std::span<const double> values) {
    if (values.empty()) return std::nullopt;
    return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double percentile(std::vector<double> values, double share) {
    if (values.empty()) return 0;
    const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(values.size()) - 1e-9));
    const auto at = values.begin() + static_cast<std::ptrdiff_t>(std::clamp<std::size_t>(rank, 1, values.size()) - 1);
    std::ranges::nth_element(values, at);
    return *at;
}

}  // namespace decant::quality
