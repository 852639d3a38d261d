#pragma once

#include <cstdint>
#include <optional>

namespace decant::quality {

/// Statistics of a running comparison: intervals and p-values that hold at every look at once, however often somebody
/// looks and whenever he stops. Over all looks at two arms that do not differ, the probability that p is ever 0.05 or
/// less is at most 0.05. Pure.
///
/// Means: mixture sequential probability ratio test, the mixture normal with standard deviation tau around no effect.
/// With V the variance of an estimate d, ratio = sqrt(V / (V + tau^2)) exp(tau^2 d^2 / (2 V (V + tau^2))), p = 1 /
/// ratio. Source: Johari, Koomen, Pekelis, Walsh, "Always valid inference: continuous monitoring of A/B tests",
/// Operations Research 70 (2022), section 4; that V may be estimated: Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas,
/// "Time-uniform central limit theory and asymptotic confidence sequences", Annals of Statistics 52 (2024), which also
/// is why nothing is said before 100 units an arm. Shares: mixture over Beta(1, 1) of the binomial's likelihood ratio,
/// exact at any size. Source: Robbins, "Statistical methods related to the law of the iterated logarithm", Annals of
/// Mathematical Statistics 41 (1970).

inline constexpr double alpha = 0.05;
inline constexpr std::uint64_t least_units = 100;

/// Of the values of independent units.
struct Moments {
    std::uint64_t units = 0;
    double mean = 0;
    double variance = 0;  ///< of the sample
};

struct Interval {
    double low = 0;
    double high = 0;
};

struct Estimate {
    double value = 0;
    std::optional<Interval> interval = {};  ///< 95 %; none under least_units
    double p = 1;                           ///< of a true value of 0
};

/// Of the mean itself; of paired differences this is their test.
Estimate estimate_mean(const Moments& moments);

/// Of b's mean less a's.
Estimate estimate_difference(const Moments& a, const Moments& b);

/// The share of `part` in `all` tosses, its interval, and p of a true share of a half.
Estimate estimate_share(std::uint64_t part, std::uint64_t all);

/// p of a true share of `expected`, over 0 and under 1.
double share_p(std::uint64_t part, std::uint64_t all, double expected);

/// Units that each of two arms needs so that a true difference of `effect` is found with a probability of 80 %, looking
/// as often as one likes, where a p of `level` or less decides. None where `effect` or `deviation` is not over 0.
std::optional<std::uint64_t> units_needed(double deviation, double effect, double level = alpha);

}  // namespace decant::quality
