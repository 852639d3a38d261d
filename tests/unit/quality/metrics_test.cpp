#include "quality/metrics.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/value_to.hpp>
#include <cmath>
#include <fstream>
#include <string>

#include "core/json.hpp"

namespace decant::quality {
namespace {

TEST(Metrics, DiscountTheGainOfEachRankByTheLogarithmOfTheNext) {
    const std::vector<int> found{2, 0, 3};
    const std::vector<int> judged{3, 2, 1, 0};
    const double gain = 3 / std::log2(2) + 7 / std::log2(4);
    const double best = 7 / std::log2(2) + 3 / std::log2(3) + 1 / std::log2(4);
    EXPECT_NEAR(ndcg(found, judged, 10), gain / best, 1e-12);
}

TEST(Metrics, CutTheBestOrderWhereTheyCutTheAnswer) {
    const std::vector<int> found{1, 1, 3};
    const std::vector<int> judged{1, 1, 1, 1};
    EXPECT_NEAR(ndcg(found, judged, 2), 1, 1e-12);
    EXPECT_NEAR(recall(found, judged, 2, 1), 0.5, 1e-12);
    EXPECT_EQ(reciprocal_rank(found, 2, 3), 0);
    EXPECT_NEAR(reciprocal_rank(found, 3, 3), 1.0 / 3, 1e-12);
}

TEST(Metrics, AreZeroWhereNothingIsOfUseOrNothingWasFound) {
    const std::vector<int> nothing{};
    const std::vector<int> useless{0, 0};
    const std::vector<int> judged{3};
    EXPECT_EQ(ndcg(useless, useless, 10), 0);
    EXPECT_EQ(ndcg(nothing, judged, 10), 0);
    EXPECT_EQ(recall(useless, useless, 10, 1), 0);
    EXPECT_EQ(reciprocal_rank(nothing, 10, 1), 0);
}

TEST(Metrics, AgreeWithTrecEvalOverFortyMadeUpAnswers) {
    std::ifstream file{DECANT_SOURCE_DIR "/tests/fixtures/quality/metrics.jsonl"};
    int answers = 0;
    for (std::string line; std::getline(file, line); ++answers) {
        const json::value row = json::parse(line);
        const auto found = json::value_to<std::vector<int>>(row.at("found"));
        const auto judged = json::value_to<std::vector<int>>(row.at("judged"));
        const auto expected = [&](const char* name) { return row.at(name).to_number<double>(); };
        EXPECT_NEAR(ndcg(found, judged, 10), expected("ndcg"), 1e-9) << line;
        EXPECT_NEAR(recall(found, judged, 10, 1), expected("recall"), 1e-9) << line;
        EXPECT_NEAR(recall(found, judged, 10, 2), expected("recall2"), 1e-9) << line;
        EXPECT_NEAR(reciprocal_rank(found, 10, 1), expected("rr"), 1e-9) << line;
        EXPECT_NEAR(reciprocal_rank(found, 10, 2), expected("rr2"), 1e-9) << line;
    }
    EXPECT_EQ(answers, 40);
}

TEST(Metrics, GiveThePercentileOfTheNearestRank) {
    const std::vector<double> values{40, 10, 30, 20};
    EXPECT_EQ(percentile(values, 0.5), 20);
    EXPECT_EQ(percentile(values, 0.51), 30);
    EXPECT_EQ(percentile(values, 0.95), 40);
    EXPECT_EQ(percentile(values, 0.001), 10);
    EXPECT_EQ(percentile({7}, 0.99), 7);
    EXPECT_EQ(percentile({}, 0.5), 0);
}

TEST(Metrics, HaveNoMeanOfNothing) {
    EXPECT_EQ(mean({}), std::nullopt);
    const std::vector<double> values{1, 2, 6};
    EXPECT_EQ(mean(values), 3);
}

}  // namespace
}  // namespace decant::quality
