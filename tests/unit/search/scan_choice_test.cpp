#include "search/scan_choice.hpp"

#include <gtest/gtest.h>

namespace decant::search {
namespace {

/// One letter a step: looks once, goes on, compares all.
std::string steps_of(const std::vector<ScanStep>& steps) {
    std::string out;
    for (const ScanStep& step : steps)
        out += step.scan == Scan::exact ? 'c' : step.goes_on ? 'g' : 'l';
    return out;
}

struct Case {
    const char* name;
    std::uint64_t wanted;
    std::optional<Passing> filter;
    const char* steps;
};

// The costs are those of 100,000 products: 18,000 units of the planner's to read all, about one a product by an index.
class ScanSteps : public testing::TestWithParam<Case> {};

TEST_P(ScanSteps, AreTheCheapestThatFindEnough) {
    EXPECT_EQ(steps_of(scan_steps(GetParam().wanted, 0.98, GetParam().filter)), GetParam().steps);
}

INSTANTIATE_TEST_SUITE_P(
    OfShares, ScanSteps,
    testing::Values(Case{"NoFilter", 10, std::nullopt, "lgc"}, Case{"MoreThanOneLookHolds", 1'500, std::nullopt, "gc"},
                    Case{"HalfPass", 10, Passing{100'000, 50'000, 18'000}, "lgc"},
                    Case{"ATenthPasses", 10, Passing{100'000, 10'000, 8'000}, "lc"},
                    Case{"AHundredthPassesByAnIndex", 10, Passing{100'000, 1'000, 930}, "c"},
                    Case{"AHundredthPassesAndAllAreRead", 10, Passing{100'000, 1'000, 18'000}, "c"},
                    Case{"AHundredthOfAMillionPassesAndAllAreRead", 10, Passing{1'000'000, 10'000, 180'000}, "gc"},
                    Case{"AThousandthPassesAndAllAreRead", 10, Passing{100'000, 100, 18'000}, "c"},
                    Case{"NonePasses", 10, Passing{100'000, 0, 500}, "c"},
                    Case{"NothingIsKnownOfTheTable", 10, Passing{}, "c"}, Case{"AFewRows", 10, Passing{50, 25, 5}, "c"},
                    Case{"ATenthOfMillions", 10, Passing{5'000'000, 500'000, 400'000}, "lgc"}),
    [](const auto& one) { return one.param.name; });

TEST(ScanStep, LooksAtTwiceAsManyAsPassOnAverage) {
    EXPECT_EQ(scan_steps(10, 0.98, Passing{100'000, 10'000, 8'000}).front().ef_search, 200U);
    EXPECT_EQ(scan_steps(100, 0.9, Passing{100'000, 50'000, 18'000}).front().ef_search, 400U);
}

TEST(ScanStep, LooksFurtherWhereHalfPassThanWhereAllDo) {
    const auto half = scan_steps(10, 0.98, Passing{100'000, 50'000, 18'000}).front().ef_search;
    EXPECT_NEAR(static_cast<double>(half), 1.41 * static_cast<double>(ef_search_for(10, 0.98)), 2);
    EXPECT_EQ(scan_steps(10, 0.98, std::nullopt).front().ef_search, ef_search_for(10, 0.98));
}

TEST(EfSearch, GrowsWithWhatIsWantedAndStaysInPgvectorsBounds) {
    EXPECT_LT(ef_search_for(10, 0.95), ef_search_for(10, 0.98));
    EXPECT_LT(ef_search_for(10, 0.98), ef_search_for(10, 0.999));
    EXPECT_LT(ef_search_for(10, 0.98), ef_search_for(100, 0.98));
    EXPECT_EQ(ef_search_for(1, 0.5), 40U);
    EXPECT_EQ(ef_search_for(900, 0.5), 900U);
    EXPECT_EQ(ef_search_for(100'000, 0.999), 1'000U);
}

TEST(IvfflatProbes, GrowWithTheListsAndAreNeverMoreThanThose) {
    EXPECT_EQ(ivfflat_probes_for(1, 0.98), 1U);
    EXPECT_EQ(ivfflat_probes_for(3, 0.98), 3U);
    EXPECT_EQ(ivfflat_probes_for(100, 0.98), 20U);
    EXPECT_LT(ivfflat_probes_for(100, 0.9), ivfflat_probes_for(100, 0.98));
    EXPECT_LT(ivfflat_probes_for(100, 0.98), ivfflat_probes_for(1'000, 0.98));
}

}  // namespace
}  // namespace decant::search
