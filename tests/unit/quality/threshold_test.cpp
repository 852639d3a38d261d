#include "quality/threshold.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace decant::quality {
namespace {

constexpr bool relevant = true;
constexpr bool irrelevant = false;

/// Relevant at 0.9, 0.6 and 0.5; irrelevant at 0.55, 0.3 and 0.2, the last two of a query with nothing to find and of
/// one that nobody judged.
const std::vector<ScoredQuery> queries{
    {.hits = {{0.9, relevant, true}, {0.55, irrelevant, true}}, .is_judged = true},
    {.hits = {{0.6, relevant, true}, {0.5, relevant, true}}, .is_judged = true},
    {.hits = {{0.3, irrelevant}}, .is_judged = true, .has_nothing_to_find = true},
    {.hits = {{0.2, irrelevant}}},
};

TEST(Threshold, KeepsWhatIsAsNearAsItSays) {
    const ThresholdEffect effect = effect_of(queries, 0.5);
    EXPECT_EQ(effect.relevant_kept, 1);
    EXPECT_EQ(effect.irrelevant_kept, 0.5);
    EXPECT_NEAR(effect.f1, 2 * 0.75 * 1 / 1.75, 1e-12);
    EXPECT_EQ(effect.rightly_empty, 1);
    EXPECT_EQ(effect_of(queries, 0.3).rightly_empty, 0);
}

TEST(Threshold, IsProposedWhereF1IsBest) {
    // At 0.56: both kept are relevant, of three: F1 0.8; at 0.31: three of four kept are: 6/7.
    const Proposals proposals = propose(queries, 0.95);
    ASSERT_TRUE(proposals.best_f1);
    EXPECT_NEAR(*proposals.best_f1, 0.31, 1e-9);
}

TEST(Threshold, IsProposedAsHighAsTheRelevantHitsAllow) {
    EXPECT_NEAR(*propose(queries, 0.95).keeping, 0.5, 1e-9);
    EXPECT_NEAR(*propose(queries, 0.6).keeping, 0.6, 1e-9);
    EXPECT_NEAR(*propose(queries, 0.3).keeping, 0.9, 1e-9);
}

TEST(Threshold, IsNotProposedFromHitsOfWhichNoneIsRelevant) {
    const Proposals proposals = propose(std::span{queries}.subspan(2), 0.95);
    EXPECT_FALSE(proposals.best_f1);
    EXPECT_FALSE(proposals.keeping);
}

TEST(Threshold, IsProposedWithoutJudgmentsWhereNineOfTenQueriesKeepTheirBestHit) {
    std::vector<ScoredQuery> unjudged;
    for (int i = 1; i <= 10; ++i)
        unjudged.push_back({.hits = {{0.1 * i + 0.005, irrelevant}}});
    EXPECT_NEAR(*propose_unjudged(unjudged), 0.1, 1e-9);
    unjudged.erase(unjudged.begin());
    unjudged.push_back({});
    EXPECT_NEAR(*propose_unjudged(unjudged), 0.2, 1e-9);
    EXPECT_FALSE(propose_unjudged(std::vector<ScoredQuery>(3)));
}

TEST(Threshold, TellsWithoutJudgmentsWhatItLeavesAndWhatChanceGives) {
    const std::vector<double> chance{0.1, 0.2, 0.5, 0.7};
    const UnjudgedEffect effect = unjudged_effect_of(queries, chance, 0.5);
    EXPECT_EQ(effect.answered, 0.5);
    EXPECT_EQ(effect.hits, 1);
    EXPECT_EQ(effect.chance_passes, 0.5);
}

TEST(Threshold, CountsHitsThatNobodyJudged) {
    EXPECT_EQ(judged_share(queries), 1);
    const std::vector<ScoredQuery> half{{.hits = {{0.9, relevant, true}, {0.5, irrelevant, false}}, .is_judged = true}};
    EXPECT_EQ(judged_share(half), 0.5);
}

TEST(Threshold, IsShownAmongEvenStepsAroundTheHits) {
    const std::vector<double> proposed{0.31};
    const std::vector<double> shown = thresholds_to_show(queries, proposed);
    EXPECT_TRUE(std::ranges::is_sorted(shown));
    EXPECT_THAT(shown, testing::Contains(testing::DoubleNear(0.31, 1e-9)));
    EXPECT_GE(shown.size(), 8U);
    EXPECT_LE(shown.size(), 13U);
    EXPECT_LE(shown.front(), 0.2);
    EXPECT_THAT(thresholds_to_show({}, {}), testing::IsEmpty());
}

}  // namespace
}  // namespace decant::quality
