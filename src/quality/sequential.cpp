#include "quality/sequential.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

namespace decant::quality {
namespace {

/// tau in standard deviations of a unit's value: fixed before anything is seen, best for effects of about this size.
constexpr double mixture_deviations = 0.1;
/// Of the normal distribution: a power of 80 %.
constexpr double power_quantile = 0.8416;
constexpr std::uint64_t most_units = 1'000'000'000;
constexpr int halvings = 60;

/// An estimate whose error is normal, and the variance of the mixture.
struct Normal {
    double value;
    double variance;
    double mixture;

    double p() const {
        if (variance <= 0) return value == 0 ? 1 : 0;
        const double sum = variance + mixture;
        const double log_ratio = 0.5 * std::log(variance / sum) + mixture * value * value / (2 * variance * sum);
        return std::min(1.0, std::exp(-log_ratio));
    }
    /// Half of the interval: where p is `level`.
    double radius(double level) const {
        if (variance <= 0) return 0;
        const double sum = variance + mixture;
        return std::sqrt(variance * sum / mixture * (std::log(sum / variance) - 2 * std::log(level)));
    }
    Estimate estimate() const {
        const double half = radius(alpha);
        return {.value = value, .interval = Interval{value - half, value + half}, .p = p()};
    }
};

Normal difference_of(const Moments& a, const Moments& b) {
    const auto units_a = static_cast<double>(a.units);
    const auto units_b = static_cast<double>(b.units);
    const double variance = a.variance / units_a + b.variance / units_b;
    // Of two arms of other sizes or spreads: the variance that a unit of each would have with this sum.
    const double a_unit = variance / (1 / units_a + 1 / units_b);
    return {
        .value = b.mean - a.mean, .variance = variance, .mixture = mixture_deviations * mixture_deviations * a_unit};
}

/// log of the mixture's likelihood ratio against `share`.
double log_share_ratio(double part, double rest, double share) {
    const double mixture = std::lgamma(part + 1) + std::lgamma(rest + 1) - std::lgamma(part + rest + 2);
    const auto term = [](double count, double chance) { return count == 0 ? 0 : count * std::log(chance); };
    return mixture - term(part, share) - term(rest, 1 - share);
}

/// Where `is_inside` turns, between an end that is inside and one that is not.
double edge(double inside, double outside, const std::function<bool(double)>& is_inside) {
    for (int i = 0; i < halvings; ++i) {
        const double middle = (inside + outside) / 2;
        (is_inside(middle) ? inside : outside) = middle;
    }
    return inside;
}

}  // namespace

Estimate estimate_mean(const Moments& moments) {
    if (moments.units < least_units) return {.value = moments.mean};
    return Normal{.value = moments.mean,
                  .variance = moments.variance / static_cast<double>(moments.units),
                  .mixture = mixture_deviations * mixture_deviations * moments.variance}
        .estimate();
}

Estimate estimate_difference(const Moments& a, const Moments& b) {
    if (std::min(a.units, b.units) < least_units) return {.value = b.mean - a.mean};
    return difference_of(a, b).estimate();
}

Estimate estimate_share(std::uint64_t part, std::uint64_t all) {
    if (all == 0) return {};
    const auto count = static_cast<double>(part);
    const double rest = static_cast<double>(all) - count;
    const double share = count / static_cast<double>(all);
    const auto is_inside = [&](double candidate) { return log_share_ratio(count, rest, candidate) < -std::log(alpha); };
    return {.value = share,
            .interval = Interval{edge(share, 0, is_inside), edge(share, 1, is_inside)},
            .p = share_p(part, all, 0.5)};
}

double share_p(std::uint64_t part, std::uint64_t all, double expected) {
    const auto count = static_cast<double>(part);
    return std::min(1.0, std::exp(-log_share_ratio(count, static_cast<double>(all) - count, expected)));
}

std::optional<std::uint64_t> units_needed(double deviation, double effect, double level) {
    if (!(deviation > 0) || !(effect > 0)) return std::nullopt;
    const auto is_enough = [&](std::uint64_t units) {
        const Moments arm{.units = units, .mean = 0, .variance = deviation * deviation};
        const Normal normal = difference_of(arm, arm);
        return effect >= normal.radius(level) + power_quantile * std::sqrt(normal.variance);
    };
    if (!is_enough(most_units)) return std::nullopt;
    std::uint64_t low = least_units - 1;
    std::uint64_t high = most_units;
    while (high - low > 1) {
        const std::uint64_t middle = low + (high - low) / 2;
        (is_enough(middle) ? high : low) = middle;
    }
    return high;
}

}  // namespace decant::quality
