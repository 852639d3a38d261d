#pragma once

#include <cstddef>
#include <span>

namespace decant::quality {

/// Of b against a, over the same queries.
struct Difference {
    std::size_t pairs = 0;
    double mean = 0;  ///< of b - a
    double low = 0;   ///< the mean's 95 % interval, by bootstrap
    double high = 0;
    double p = 1;  ///< how often the sign of each difference tossed by a coin gives a mean at least as far from 0
};

/// Paired randomisation test, two-sided, and percentile bootstrap, 10,000 draws each of a fixed seed: the same values
/// give the same answer. p counts the draw that was observed too, so it is never 0.
/// Source: Smucker, Allan, Carterette, "A comparison of statistical significance tests for information retrieval
/// evaluation", CIKM 2007.
Difference compare(std::span<const double> a, std::span<const double> b);

}  // namespace decant::quality
