#include "cli/eval_upload.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "quality/report.hpp"

namespace decant::cli {
namespace {

using quality::JudgedQuery;

/// Two queries put to two strategies; the second query has nothing to find.
quality::Evaluation small_evaluation() {
    const JudgedQuery drill{.query = {.id = "q1", .text = "taladro", .kind = "known", .split = "work"},
                            .products = {{.docno = "T-1", .product = {.id = "a", .name = "Taladro"}, .grade = 3}}};
    const JudgedQuery nothing{.query = {.id = "q2", .text = "receta", .kind = "nothing"}, .products = {}};
    const search::Hit hit{
        .id = "a", .sku = "T-1", .name = "Taladro", .brand = "", .category = "", .similarity = 0.8, .score = 0.8};
    return quality::evaluate(
        {.queries = {drill, nothing}}, {.strategies = {"pgvector", "keyword"}},
        [&](std::size_t query, const std::string& strategy) {
            const bool finds = query == 0 && strategy == "pgvector";
            return quality::Answered{.hits = finds ? std::vector{hit} : std::vector<search::Hit>{}};
        },
        [](std::size_t, std::size_t) { return true; });
}

TEST(EvaluationForLangSmith, IsAnExampleForEachQueryAndAnExperimentForEachStrategy) {
    const trace::Comparison comparison =
        comparison_of(small_evaluation(), {.dataset = "d", .queries = "queries.jsonl", .model = "e5"});
    ASSERT_EQ(comparison.examples.size(), 2U);
    EXPECT_EQ(comparison.examples[0].inputs, (json::object{{"query", "taladro"}}));
    EXPECT_EQ(comparison.examples[0].outputs.at("products").at(0).at("grade"), 3);
    EXPECT_EQ(comparison.examples[0].split, "work");
    ASSERT_EQ(comparison.experiments.size(), 2U);
    EXPECT_EQ(comparison.experiments[1].name, "keyword");
    EXPECT_EQ(comparison.experiments[0].metadata.at("model"), "e5");
    const trace::Span& span = comparison.experiments[0].runs[0].span;
    EXPECT_EQ(span.outputs.at("documents").at(0).at("metadata").at("grade"), 3);
    EXPECT_GT(span.start.time_since_epoch().count(), 0);
    EXPECT_LE(span.start, span.end);
}

TEST(EvaluationForLangSmith, HasScoresWhoseMeansAreThePrintedOnes) {
    const quality::Evaluation evaluation = small_evaluation();
    const trace::Comparison comparison = comparison_of(evaluation, {.dataset = "d", .queries = "q"});
    for (std::size_t i = 0; i < evaluation.runs.size(); ++i) {
        const quality::Summary summary = summarise(evaluation, evaluation.runs[i]);
        for (const quality::MetricRow& row : metric_rows(evaluation.options)) {
            double sum = 0;
            double count = 0;
            for (const trace::ExampleRun& run : comparison.experiments[i].runs)
                for (const auto& [name, value] : run.scores) {
                    if (name != row.key) continue;
                    sum += value;
                    ++count;
                }
            const bool is_of_a_run = row.key == "degraded" || row.key.ends_with("milliseconds");
            if (is_of_a_run) continue;
            EXPECT_EQ(count > 0, row.value(summary).has_value()) << row.key;
            if (count > 0) {
                EXPECT_NEAR(sum / count, *row.value(summary), 1e-12) << row.key;
            }
        }
    }
}

TEST(EvaluationForLangSmith, WantsAKeyAndNoSecretQuestions) {
    const auto setup_of = [](Settings::Variables settings) { return upload_setup(Settings::from({}, settings)); };
    EXPECT_EQ(setup_of({{"LANGSMITH_API_KEY", "k"}, {"LANGSMITH_TRACING", "false"}}).api_key, "k");
    EXPECT_THROW(setup_of({}), Error);
    EXPECT_THROW(setup_of({{"LANGSMITH_API_KEY", "k"}, {"LANGSMITH_HIDE_INPUTS", "true"}}), Error);
}

TEST(EvaluationForLangSmith, IsNamedAfterTheFileOfQueries) {
    EXPECT_EQ(dataset_of("data/pc-parts.jsonl"), "decant pc-parts");
    EXPECT_EQ(dataset_of("-"), "decant queries");
}

}  // namespace
}  // namespace decant::cli
