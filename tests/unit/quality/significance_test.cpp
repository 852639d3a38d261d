#include "quality/significance.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace decant::quality {
namespace {

TEST(Significance, IsTheShareOfSignsThatGiveAsMuch) {
    // Of the 32 ways to toss five signs, only all heads and all tails give as much: 0.0625.
    const std::vector<double> a{0.1, 0.2, 0.3, 0.4, 0.5};
    const std::vector<double> b{0.2, 0.4, 0.6, 0.8, 1.0};
    const Difference difference = compare(a, b);
    EXPECT_EQ(difference.pairs, 5U);
    EXPECT_NEAR(difference.mean, 0.3, 1e-12);
    EXPECT_NEAR(difference.p, 0.0625, 0.01);
}

TEST(Significance, IsNoneBetweenEqualRuns) {
    const std::vector<double> a{0.3, 0.5, 0.9};
    const Difference difference = compare(a, a);
    EXPECT_EQ(difference.mean, 0);
    EXPECT_EQ(difference.low, 0);
    EXPECT_EQ(difference.high, 0);
    EXPECT_EQ(difference.p, 1);
}

TEST(Significance, IsTheSameWithTheSidesExchangedAndWhenComputedAgain) {
    const std::vector<double> a{0.1, 0.9, 0.4, 0.6, 0.2, 0.8};
    const std::vector<double> b{0.3, 0.8, 0.7, 0.9, 0.1, 0.9};
    const Difference one = compare(a, b);
    const Difference other = compare(b, a);
    EXPECT_EQ(one.p, other.p);
    EXPECT_NEAR(one.mean, -other.mean, 1e-12);
    EXPECT_EQ(one.low, compare(a, b).low);
    EXPECT_LT(one.low, one.mean);
    EXPECT_GT(one.high, one.mean);
}

TEST(Significance, PutsTheIntervalWhereTheMeansOfSamplesLie) {
    // Half of 100 differences are 0, half are 1: the standard error of the mean is 0.05.
    std::vector<double> a(100, 0);
    std::vector<double> b(100, 0);
    for (std::size_t i = 0; i < 50; ++i)
        b[i] = 1;
    const Difference difference = compare(a, b);
    EXPECT_NEAR(difference.low, 0.5 - 1.96 * 0.05, 0.02);
    EXPECT_NEAR(difference.high, 0.5 + 1.96 * 0.05, 0.02);
    EXPECT_LT(difference.p, 0.001);
}

TEST(Significance, SaysNothingOfNoQueries) {
    const Difference difference = compare({}, {});
    EXPECT_EQ(difference.pairs, 0U);
    EXPECT_EQ(difference.p, 1);
}

}  // namespace
}  // namespace decant::quality
