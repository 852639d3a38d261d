#include "quality/significance.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <vector>

namespace decant::quality {
namespace {

constexpr std::size_t draws = 10'000;
constexpr std::uint64_t seed = 42;

double sum_of(std::span<const double> values) {
    return std::accumulate(values.begin(), values.end(), 0.0);
}

double randomisation_p(std::span<const double> differences) {
    std::mt19937_64 random{seed};
    // Sums in another order differ in their last digits.
    const double observed = std::abs(sum_of(differences)) - 1e-9;
    std::size_t as_far = 1;
    for (std::size_t draw = 0; draw < draws; ++draw) {
        double sum = 0;
        std::uint64_t coins = 0;
        for (std::size_t i = 0; i < differences.size(); ++i) {
            if (i % 64 == 0) coins = random();
            sum += (coins & 1U) != 0 ? differences[i] : -differences[i];
            coins >>= 1U;
        }
        if (std::abs(sum) >= observed) ++as_far;
    }
    return static_cast<double>(as_far) / static_cast<double>(draws + 1);
}

/// The means of samples drawn with replacement, in order.
std::vector<double> bootstrap_means(std::span<const double> differences) {
    std::mt19937_64 random{seed};
    std::vector<double> means(draws);
    for (double& mean : means) {
        double sum = 0;
        for (std::size_t i = 0; i < differences.size(); ++i)
            sum += differences[random() % differences.size()];
        mean = sum / static_cast<double>(differences.size());
    }
    std::ranges::sort(means);
    return means;
}

}  // namespace

Difference compare(std::span<const double> a, std::span<const double> b) {
    const std::size_t pairs = std::min(a.size(), b.size());
    if (pairs == 0) return {};
    std::vector<double> differences(pairs);
    for (std::size_t i = 0; i < pairs; ++i)
        differences[i] = b[i] - a[i];
    const std::vector<double> means = bootstrap_means(differences);
    return {.pairs = pairs,
            .mean = sum_of(differences) / static_cast<double>(pairs),
            .low = means[draws * 25 / 1'000],
            .high = means[draws * 975 / 1'000 - 1],
            .p = randomisation_p(differences)};
}

}  // namespace decant::quality
