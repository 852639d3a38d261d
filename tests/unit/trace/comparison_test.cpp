// An offline comparison to a stand-in for LangSmith that takes nothing that breaks the contract.

#include "trace/comparison.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>

#include "core/error.hpp"
#include "tests/support/langsmith_server.hpp"
#include "tests/support/trace_case.hpp"

namespace decant::trace {
namespace {

using test::langsmith_at;
using test::LangSmithServer;
using test::time_at;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

const auto unseen = [](std::size_t, std::size_t) {};

/// `count` questions, q0 first, put to each of `strategies`, with two scores each.
Comparison comparison(std::size_t count, const std::vector<std::string>& strategies = {"pgvector", "fusion"}) {
    Comparison made{.dataset = "decant queries", .description = "Judged queries", .examples = {}, .experiments = {}};
    for (std::size_t i = 0; i < count; ++i) {
        const std::string key = "q" + std::to_string(i);
        made.examples.push_back({.key = key,
                                 .inputs = {{"query", "question " + key}},
                                 .outputs = {{"products", json::array{json::object{{"product", "A"}, {"grade", 3}}}}},
                                 .metadata = {{"kind", "known"}},
                                 .split = i == 0 ? "work" : ""});
    }
    for (const std::string& strategy : strategies) {
        OfflineExperiment experiment{.name = strategy, .metadata = {{"strategy", strategy}}, .runs = {}};
        for (std::size_t i = 0; i < count; ++i) {
            const auto start = static_cast<std::int64_t>(i) * 10;
            experiment.runs.push_back({.span = {.name = "product_search",
                                                .type = RunType::retriever,
                                                .start = time_at(start),
                                                .end = time_at(start + 7),
                                                .inputs = made.examples[i].inputs,
                                                .outputs = {{"documents", json::array{}}}},
                                       .scores = {{"ndcg", 0.5}, {"mrr", 1}}});
        }
        made.experiments.push_back(std::move(experiment));
    }
    return made;
}

std::optional<test::StandInAnswer> answers_path(const test::StandInRequest& request, std::string_view path,
                                                test::StandInAnswer answer) {
    return request.target.starts_with(path) ? std::optional{std::move(answer)} : std::nullopt;
}

Error failure_of(const LangSmithSetup& setup) {
    try {
        upload(comparison(2), setup, unseen);
    } catch (const Error& error) {
        return error;
    }
    return {ErrorCode::internal, "nothing failed", ""};
}

TEST(ComparisonUpload, MakesADatasetAndAnExperimentOfEachStrategyWithScoresForEachExample) {
    const LangSmithServer server;
    const UploadedComparison uploaded = upload(comparison(3), langsmith_at(server.url()), unseen);
    EXPECT_THAT(server.violations(), IsEmpty());
    ASSERT_THAT(server.datasets(), SizeIs(1));
    EXPECT_EQ(server.datasets().begin()->first, uploaded.dataset_id);
    EXPECT_THAT(server.examples(), SizeIs(3));
    EXPECT_EQ(server.run_count(), 6U);
    EXPECT_THAT(server.feedback(), SizeIs(12));
    ASSERT_THAT(server.experiments(), SizeIs(2));
    EXPECT_THAT(uploaded.experiments, ElementsAre(HasSubstr("pgvector-"), HasSubstr("fusion-")));
    for (const auto& [id, experiment] : server.experiments()) {
        EXPECT_EQ(experiment.at("num_examples"), 3);
        EXPECT_EQ(experiment.at("start_time"), "2025-11-28T10:00:00.000000Z");
        EXPECT_EQ(experiment.at("end_time"), "2025-11-28T10:00:00.027000Z");
        EXPECT_EQ(experiment.at("extra").at("metadata").as_object().size(), 1U);
    }
    for (const auto& [id, run] : server.runs()) {
        const json::object example = server.examples().at(std::string{run.at("reference_example_id").as_string()});
        EXPECT_EQ(run.at("inputs"), example.at("inputs"));
        EXPECT_FALSE(run.contains("session_name"));
    }
    for (const auto& [id, said] : server.feedback())
        EXPECT_EQ(said.at("session_id"), server.runs().at(std::string{said.at("run_id").as_string()}).at("session_id"));
}

TEST(ComparisonUpload, FindsItsDatasetAndExamplesAgainAndChangesOnlyWhatChanged) {
    const LangSmithServer server;
    upload(comparison(150), langsmith_at(server.url()), unseen);
    Comparison changed = comparison(151);
    changed.examples[7].outputs = {{"products", json::array{}}};
    const UploadedComparison second = upload(changed, langsmith_at(server.url()), unseen);
    EXPECT_THAT(server.violations(), IsEmpty());
    EXPECT_FALSE(second.is_new_dataset);
    EXPECT_EQ(second.new_examples, 1U);
    EXPECT_EQ(second.changed_examples, 1U);
    EXPECT_THAT(server.datasets(), SizeIs(1));
    EXPECT_THAT(server.examples(), SizeIs(151));
    EXPECT_THAT(server.experiments(), SizeIs(4));
    EXPECT_EQ(server.run_count(), 602U);
}

TEST(ComparisonUpload, TellsEachScoreByItselfWhereTheServerTakesNoPartsOfFeedback) {
    LangSmithServer server{{.version = "0.8.9"}};
    std::atomic<int> early = 2;
    server.set_fault([&](const auto& request) {
        return request.target == "/feedback" && early-- > 0
                   ? std::optional{test::StandInAnswer{.status = 404, .body = "run not found"}}
                   : std::nullopt;
    });
    upload(comparison(2, {"pgvector"}), langsmith_at(server.url()), unseen);
    EXPECT_THAT(server.feedback(), SizeIs(4));
    EXPECT_THAT(server.violations(), IsEmpty());
}

TEST(ComparisonUpload, TellsWhatIsThereOnceAlsoWhereAnswersAreLost) {
    for (const std::string path : {"/datasets", "/examples/bulk", "/sessions", "/runs/multipart"}) {
        LangSmithServer server;
        bool is_lost = false;
        server.set_fault([&](const test::StandInRequest& request) -> std::optional<test::StandInAnswer> {
            if (is_lost || request.method != "POST" || request.target != path) return std::nullopt;
            is_lost = true;
            return server.obeyed(request, {.body = "{}", .cut_after = 0});
        });
        upload(comparison(2), langsmith_at(server.url()), unseen);
        EXPECT_TRUE(is_lost) << path;
        EXPECT_THAT(server.violations(), IsEmpty()) << path;
        EXPECT_THAT(server.datasets(), SizeIs(1)) << path;
        EXPECT_THAT(server.examples(), SizeIs(2)) << path;
        EXPECT_THAT(server.experiments(), SizeIs(2)) << path;
        EXPECT_EQ(server.run_count(), 4U) << path;
        EXPECT_THAT(server.feedback(), SizeIs(8)) << path;
    }
}

TEST(ComparisonUpload, ShowsHowFarItIs) {
    const LangSmithServer server;
    std::vector<std::size_t> done;
    upload(comparison(2), langsmith_at(server.url()), [&](std::size_t now, std::size_t total) {
        done.push_back(now);
        EXPECT_EQ(total, 2U + 2 * (2 + 4));
    });
    EXPECT_TRUE(std::ranges::is_sorted(done));
    EXPECT_EQ(done.back(), 14U);
}

TEST(ComparisonUpload, SaysWhatWentWrongAndWhatToDo) {
    struct Case {
        std::string_view path;
        int status;
        ErrorCode code;
        std::string_view remedy;
    };
    for (const auto& [path, status, code, remedy] :
         {Case{"/datasets", 401, ErrorCode::forbidden, "LANGSMITH_API_KEY"},
          Case{"/datasets", 403, ErrorCode::forbidden, "LANGSMITH_WORKSPACE_ID"},
          Case{"/datasets", 429, ErrorCode::rate_limited, "Run the command again"},
          Case{"/datasets", 500, ErrorCode::source_unavailable, "Run the command again"},
          Case{"/examples", 404, ErrorCode::request_invalid, "LANGSMITH_ENDPOINT"},
          Case{"/runs/", 403, ErrorCode::forbidden, "LANGSMITH_API_KEY"},
          Case{"/runs/", 500, ErrorCode::source_unavailable, "Run the command again"}}) {
        LangSmithServer server;
        server.set_fault([at = path, answered = status](const auto& request) {
            return answers_path(request, at, {.status = answered, .body = "no", .headers = {"Retry-After: 0"}});
        });
        const Error error = failure_of(langsmith_at(server.url()));
        EXPECT_EQ(error.code(), code) << status << path;
        EXPECT_THAT(error.happened(), HasSubstr(std::to_string(status)));
        EXPECT_THAT(error.remedy(), HasSubstr(std::string{remedy})) << status << path;
        EXPECT_THAT(error.happened() + error.remedy(), Not(HasSubstr("lsv2_key")));
    }
}

TEST(ComparisonUpload, TriesThreeTimesWhatMayPass) {
    LangSmithServer server;
    std::atomic<int> failures = 2;
    server.set_fault([&](const auto& request) {
        return request.target.starts_with("/sessions") && failures-- > 0
                   ? std::optional{test::StandInAnswer{.status = 503, .headers = {"Retry-After: 0"}}}
                   : std::nullopt;
    });
    upload(comparison(1, {"pgvector"}), langsmith_at(server.url()), unseen);
    EXPECT_THAT(server.experiments(), SizeIs(1));
    EXPECT_THAT(server.violations(), IsEmpty());
}

TEST(ComparisonUpload, SaysThatNobodyIsThere) {
    std::string url;
    {
        const LangSmithServer gone;
        url = gone.url();
    }
    const Error error = failure_of(langsmith_at(url));
    EXPECT_EQ(error.code(), ErrorCode::source_unavailable);
    EXPECT_THAT(error.happened(), HasSubstr("LangSmith at " + url + " cannot be reached"));
    EXPECT_THAT(error.remedy(), HasSubstr("LANGSMITH_ENDPOINT"));
}

}  // namespace
}  // namespace decant::trace
