// The text of GET /metrics, held against the exposition format, and what it counts.

#include "api/metrics_registry.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "tests/support/exposition_check.hpp"

namespace decant::test {
namespace {

using api::MetricsRegistry;
using api::ServerState;
using api::Stage;
using testing::Each;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

ServerState full_state() {
    return {.open_connections = 5,
            .idle_connections = 3,
            .accepted_connections = 90,
            .refused_requests = 2,
            .lanes = {{.name = "search", .waiting = 4, .running = 2}, {.name = "chat", .waiting = 0, .running = 1}},
            .jobs = ServerState::Jobs{.ready = 7, .delayed = 1, .leased = 64, .dead = 2},
            .products = ServerState::Products{.with_embedding = 90, .without_embedding = 10, .stale = 5},
            .database_up = true,
            .embedder_up = false,
            .dropped_events = 3,
            .primary_answers = 4,
            .replicas = {{.name = "db2:5432",
                          .is_used = true,
                          .lag_bytes = 160,
                          .lag_seconds = 0.5,
                          .left_away = 1,
                          .left_behind = 2,
                          .returned = 3,
                          .answers = 70,
                          .failed_searches = 5},
                         {.name = "db3:5432"}}};
}

TEST(Metrics, AreAValidExpositionBeforeAndAfterTraffic) {
    MetricsRegistry metrics{"0.1.0"};
    EXPECT_THAT(exposition_faults(metrics.text({})), IsEmpty());
    metrics.count_request({.route = "/api/v1/pgvector/search", .method = "POST", .status = 200, .seconds = 0.02});
    metrics.count_request({.route = "/api/v1/pgvector/search", .method = "POST", .status = 503, .seconds = 40});
    metrics.observe_stage(Stage::embed, 0.004);
    metrics.count_shed("chat");
    metrics.count_limited("search");
    EXPECT_THAT(exposition_faults(metrics.text(full_state())), IsEmpty());
}

TEST(Metrics, CountRequestsByRouteMethodAndStatusAndTimeThemByRoute) {
    MetricsRegistry metrics{"0.1.0"};
    for (const double seconds : {0.02, 0.3})
        metrics.count_request({.route = "/healthz", .method = "GET", .status = 200, .seconds = seconds});
    const std::string text = metrics.text({});
    EXPECT_THAT(text, HasSubstr(R"(decant_http_requests_total{method="GET",route="/healthz",status="200"} 2)"));
    EXPECT_THAT(text, HasSubstr(R"(decant_http_request_duration_seconds_bucket{route="/healthz",le="0.025"} 1)"));
    EXPECT_THAT(text, HasSubstr(R"(decant_http_request_duration_seconds_count{route="/healthz"} 2)"));
}

TEST(Metrics, LetNoClientMakeSeriesByInventingMethods) {
    MetricsRegistry metrics{"0.1.0"};
    for (const char* method : {"BREW", "PROPFIND", "\"} 1\nx 2"})
        metrics.count_request({.route = "unmatched", .method = method, .status = 405, .seconds = 0});
    EXPECT_THAT(metrics.text({}),
                HasSubstr(R"(decant_http_requests_total{method="other",route="unmatched",status="405"} 3)"));
}

TEST(Metrics, TimeEveryStageFromTheStart) {
    MetricsRegistry metrics{"0.1.0"};
    metrics.observe_stage(Stage::answer, 0.3);
    const std::string text = metrics.text({});
    for (const char* stage : {"understand", "embed", "search"})
        EXPECT_THAT(text, HasSubstr("decant_stage_duration_seconds_count{stage=\"" + std::string{stage} + "\"} 0"));
    EXPECT_THAT(text, HasSubstr(R"(decant_stage_duration_seconds_count{stage="answer"} 1)"));
}

TEST(Metrics, TellWhatTheServerIsDoing) {
    const std::string text = MetricsRegistry{"0.1.0"}.text(full_state());
    for (const char* line :
         {R"(decant_http_connections{state="busy"} 2)", R"(decant_http_connections{state="idle"} 3)",
          R"(decant_lane_waiting_requests{lane="search"} 4)", R"(decant_lane_running_requests{lane="chat"} 1)",
          R"(decant_embedding_jobs{state="ready"} 7)", R"(decant_embedding_jobs{state="dead"} 2)",
          R"(decant_products{embedding="fresh"} 85)", R"(decant_products{embedding="stale"} 5)",
          R"(decant_products{embedding="missing"} 10)", "decant_embedding_coverage_ratio 0.9", "decant_database_up 1",
          "decant_embedder_up 0", "decant_search_events_dropped_total 3", R"(decant_build_info{version="0.1.0"} 1)"})
        EXPECT_THAT(text, HasSubstr(std::string{line} + "\n"));
}

TEST(Metrics, TellWhichServerAnswersSearchesAndHowFarReplicasAreBehind) {
    const std::string text = MetricsRegistry{"0.1.0"}.text(full_state());
    for (const char* line :
         {R"(decant_search_answers_total{server="primary"} 4)", R"(decant_search_answers_total{server="db2:5432"} 70)",
          R"(decant_replica_used{replica="db2:5432"} 1)", R"(decant_replica_used{replica="db3:5432"} 0)",
          R"(decant_replica_lag_bytes{replica="db2:5432"} 160)",
          R"(decant_replica_lag_seconds{replica="db2:5432"} 0.5)",
          R"(decant_replica_left_total{reason="away",replica="db2:5432"} 1)",
          R"(decant_replica_left_total{reason="behind",replica="db2:5432"} 2)",
          R"(decant_replica_returned_total{replica="db2:5432"} 3)",
          R"(decant_replica_failed_searches_total{replica="db2:5432"} 5)"})
        EXPECT_THAT(text, HasSubstr(std::string{line} + "\n"));
    EXPECT_THAT(text, Not(HasSubstr(R"(decant_replica_lag_bytes{replica="db3:5432"})")));
}

TEST(Metrics, LeaveOutWhatNobodyKnowsWhileTheDatabaseIsAway) {
    ServerState state = full_state();
    state.jobs.reset();
    state.products.reset();
    state.database_up = false;
    const std::string text = MetricsRegistry{"0.1.0"}.text(state);
    EXPECT_THAT(text, HasSubstr("decant_database_up 0\n"));
    EXPECT_THAT(text, Not(HasSubstr("decant_embedding_jobs")));
    EXPECT_THAT(text, Not(HasSubstr("decant_products")));
    EXPECT_THAT(exposition_faults(text), IsEmpty());
}

TEST(Metrics, LoseNoCountOfSeveralThreads) {
    MetricsRegistry metrics{"0.1.0"};
    {
        std::vector<std::jthread> threads;
        for (int thread = 0; thread < 4; ++thread) {
            threads.emplace_back([&] {
                for (int i = 0; i < 500; ++i)
                    metrics.count_request({.route = "/x", .method = "GET", .status = 200 + i % 2, .seconds = 0.001});
            });
        }
        for (int i = 0; i < 20; ++i)
            EXPECT_THAT(exposition_faults(metrics.text({})), Each(HasSubstr("+Inf and _count")))
                << "only a histogram may be read in the middle of a change";
    }
    EXPECT_THAT(metrics.text({}), HasSubstr("decant_http_request_duration_seconds_count{route=\"/x\"} 2000"));
}

TEST(ExpositionCheck, FindsWhatIsNotOfTheFormat) {
    const std::string head = "# HELP a_total a\n# TYPE a_total counter\n";
    EXPECT_THAT(exposition_faults(head + "a_total 1\n"), IsEmpty());
    for (const char* samples : {"", "a_total one\n", "a_total{x=1} 1\n", "a_total{x=\"\\q\"} 1\n", "b_total 1\n",
                                "a_total 1\na_total 1\n", "a_total -1\n", "a_total 1"})
        EXPECT_THAT(exposition_faults(head + samples), Not(IsEmpty())) << samples;
    EXPECT_THAT(exposition_faults("# HELP a a\n# TYPE a counter\na 1\n"), SizeIs(1));
    const std::string histogram = "# HELP h h\n# TYPE h histogram\n";
    EXPECT_THAT(exposition_faults(histogram + "h_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\nh_count 2\n"),
                IsEmpty());
    EXPECT_THAT(exposition_faults(histogram + "h_bucket{le=\"1\"} 3\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\nh_count 2\n"),
                Not(IsEmpty()));
    EXPECT_THAT(exposition_faults(histogram + "h_bucket{le=\"1\"} 1\nh_sum 3\nh_count 1\n"), Not(IsEmpty()));
}

}  // namespace
}  // namespace decant::test
