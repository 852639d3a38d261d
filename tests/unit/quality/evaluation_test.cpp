#include "quality/evaluation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "core/error.hpp"

namespace decant::quality {
namespace {

search::Hit hit(const std::string& id, std::optional<double> similarity = std::nullopt) {
    return {.id = id, .sku = "", .name = id, .brand = "", .category = "", .similarity = similarity};
}

JudgedQuery judged(const std::string& id, const std::string& kind, const std::map<std::string, int>& grades) {
    JudgedQuery query{.query = {.id = id, .text = id, .kind = kind}, .products = {}};
    for (const auto& [product, grade] : grades)
        query.products.push_back({.docno = product, .product = {.id = product, .name = product}, .grade = grade});
    std::ranges::sort(query.products, std::greater{}, &JudgedProduct::grade);
    return query;
}

/// Of four queries: two with something to find, one with nothing, one that nobody judged.
class EvaluationTest : public testing::Test {
protected:
    Evaluation run(const std::vector<std::string>& strategies) {
        const JudgedSet set{.queries = {judged("q1", "sku", {{"a", 3}}), judged("q2", "typo", {{"a", 3}, {"b", 1}}),
                                        judged("q3", "nothing", {}), judged("q4", "typo", {})}};
        return evaluate(
            set, {.strategies = strategies},
            [this](std::size_t query, const std::string& strategy) {
                asked_.push_back(std::to_string(query) + strategy);
                return answers_[strategy][query];
            },
            [this](std::size_t done, std::size_t) { return done < stop_at_; });
    }

    std::map<std::string, std::map<std::size_t, Answered>> answers_;
    std::vector<std::string> asked_;
    std::size_t stop_at_ = 100;
};

TEST_F(EvaluationTest, IsOfTheMeansOverQueriesThatHaveSomethingToFind) {
    answers_["x"][0] = {.hits = {hit("z", 0.4), hit("a", 0.2)}};
    answers_["x"][1] = {.hits = {hit("a"), hit("b")}, .is_degraded = true};
    answers_["x"][3] = {.hits = {hit("c", 0.9)}};
    const Evaluation evaluation = run({"x"});
    const Summary summary = summarise(evaluation, evaluation.runs[0]);
    EXPECT_EQ(summary.queries, 4U);
    EXPECT_EQ(summary.scored, 2U);
    EXPECT_NEAR(*summary.ndcg, (1 / std::log2(3) + 1) / 2, 1e-12);
    EXPECT_NEAR(*summary.recall, 1, 1e-12);
    EXPECT_NEAR(*summary.reciprocal_rank, 0.75, 1e-12);
    EXPECT_NEAR(*summary.judged, 0.75, 1e-12);
    EXPECT_NEAR(*summary.similarity, (0.3 + 0.9) / 2, 1e-12);
    EXPECT_EQ(summary.without_result, 0);
    EXPECT_EQ(summary.rightly_empty, 1);
    EXPECT_EQ(summary.degraded, 1U);
    EXPECT_GE(summary.p99, summary.p50);
}

TEST_F(EvaluationTest, TellsAnEmptyAnswerThatIsRightFromOneThatIsNot) {
    answers_["x"][2] = {.hits = {hit("a")}};
    const Evaluation evaluation = run({"x"});
    const Summary summary = summarise(evaluation, evaluation.runs[0]);
    EXPECT_EQ(summary.without_result, 1);
    EXPECT_EQ(summary.rightly_empty, 0);
    EXPECT_EQ(summary.ndcg, 0);
    EXPECT_EQ(summary.judged, std::nullopt);
}

TEST_F(EvaluationTest, HasASummaryOfEachKind) {
    answers_["x"][0] = {.hits = {hit("a")}};
    const Evaluation evaluation = run({"x"});
    EXPECT_THAT(kinds_of(evaluation.set), testing::ElementsAre("sku", "typo", "nothing"));
    EXPECT_EQ(summarise(evaluation, evaluation.runs[0], "sku").ndcg, 1);
    EXPECT_EQ(summarise(evaluation, evaluation.runs[0], "typo").ndcg, 0);
    EXPECT_EQ(summarise(evaluation, evaluation.runs[0], "typo").queries, 2U);
    EXPECT_EQ(summarise(evaluation, evaluation.runs[0], "nothing").ndcg, std::nullopt);
}

TEST_F(EvaluationTest, AsksStrategiesInTurnsAfterOneQueryThatIsNotCounted) {
    run({"x", "y"});
    EXPECT_THAT(asked_, testing::ElementsAre("0x", "0y", "0x", "0y", "1y", "1x", "2x", "2y", "3y", "3x"));
}

TEST_F(EvaluationTest, ComparesWithTheFirstStrategyQueryByQuery) {
    answers_["x"][0] = {.hits = {hit("a")}};
    answers_["y"][0] = {.hits = {hit("a")}};
    answers_["y"][1] = {.hits = {hit("a"), hit("b")}};
    const Evaluation evaluation = run({"x", "y"});
    const Difference difference = difference_to_first(evaluation, evaluation.runs[1]);
    EXPECT_EQ(difference.pairs, 2U);
    EXPECT_NEAR(difference.mean, 0.5, 1e-12);
}

TEST_F(EvaluationTest, StopsWhenItIsTold) {
    stop_at_ = 2;
    try {
        run({"x"});
        FAIL() << "ran to its end";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::cancelled);
    }
    EXPECT_EQ(asked_.size(), 3U);
}

}  // namespace
}  // namespace decant::quality
