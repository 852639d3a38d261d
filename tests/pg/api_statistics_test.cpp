// What the server tells of itself: health, statistics, metrics over time, Prometheus's exposition; and feedback.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/quality_watch.hpp"
#include "tests/support/api_case.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/exposition_check.hpp"

namespace decant::api {
namespace {

using namespace std::chrono_literals;
using test::body_of;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const std::string search_path = "/api/v1/pgvector/search";
const std::string metrics_path = "/api/v1/pgvector/metrics";

class ApiStatistics : public testing::Test {
protected:
    /// The answer of /pgvector/metrics once it tells of so many searches.
    json::object metrics_of(std::int64_t searches, const std::string& query = "?time_range=1h") const {
        json::object answer;
        EXPECT_TRUE(test::eventually(10s, [&] {
            answer = body_of(with_.get(metrics_path + query));
            return answer.at("search_metrics").at("total_searches") == json::value(searches);
        })) << json_text(answer);
        return answer;
    }

    test::ApiCase with_{{{"DECANT_RATE_MONITORING", "0"}}};
};

TEST_F(ApiStatistics, TellOfTheCatalogsEmbeddings) {
    with_.catalog().exec("UPDATE products SET name = 'Renamed' WHERE sku = 'p-1'");
    const json::object statistics = body_of(with_.get("/api/v1/pgvector/statistics"));
    EXPECT_EQ(statistics.at("total_products"), json::value(12));
    EXPECT_EQ(statistics.at("products_with_embeddings"), json::value(11));
    EXPECT_EQ(statistics.at("products_without_embeddings"), json::value(1));
    EXPECT_NEAR(statistics.at("coverage_percentage").to_number<double>(), 91.67, 0.01);
    EXPECT_EQ(statistics.at("embedding_model"), "small");
    EXPECT_EQ(statistics.at("stale_embeddings_count"), json::value(1));
}

TEST_F(ApiStatistics, TellWhetherVectorsCanBeSearched) {
    const net::HttpResponse healthy = with_.get("/api/v1/pgvector/health");
    EXPECT_EQ(healthy.status, 200);
    const json::object health = body_of(healthy);
    EXPECT_EQ(health.at("status"), "healthy");
    EXPECT_EQ(health.at("pgvector_available"), json::value(true));
    EXPECT_EQ(health.at("embedding_dimensions"), json::value(8));
    with_.catalog().exec("ALTER TABLE products DROP COLUMN embedding CASCADE");
    const net::HttpResponse unhealthy = with_.get("/api/v1/pgvector/health");
    EXPECT_EQ(unhealthy.status, 503);
    EXPECT_EQ(body_of(unhealthy).at("status"), "unhealthy");
    EXPECT_TRUE(body_of(unhealthy).at("embedding_dimensions").is_null());
}

TEST_F(ApiStatistics, KeepMetricsOfSearchesOverTime) {
    const net::HttpResponse found = with_.post(search_path, R"({"query": "thing 5", "limit": 1})");
    with_.post(search_path, R"({"query": "zzzz", "strategy": "keyword"})");
    with_.post(search_path, R"({"query": "thing 5", "limit": 0})");
    with_.get("/api/v1/pgvector/similar/" + with_.catalog().id_of("p-5"));
    const json::object answer = metrics_of(2);
    EXPECT_EQ(answer.at("search_metrics").at("error_rate").to_number<double>(), 0) << "a refused request is no failure";
    EXPECT_GT(answer.at("search_metrics").at("average_latency_ms").to_number<double>(), 0);
    EXPECT_NEAR(answer.at("quality_metrics").at("average_similarity_score").to_number<double>(), 1, 1e-6);
    EXPECT_EQ(answer.at("quality_metrics").at("no_results_count"), json::value(1));
    EXPECT_EQ(answer.at("strategies").as_array().size(), 2U);
    EXPECT_FALSE(answer.contains("series"));
    EXPECT_EQ(with_.catalog().value("SELECT run_id FROM decant.search_events WHERE best_similarity > 0.9 AND kind = "
                                    "'search'"),
              found.headers.at("x-request-id"))
        << "feedback finds the search by it";
    EXPECT_EQ(with_.catalog().value("SELECT bool_and(question IS NULL AND search_ms <= milliseconds) FROM "
                                    "decant.search_events"),
              "t");
    EXPECT_TRUE(test::eventually(10s, [&] {
        return with_.catalog().value("SELECT count(*) FROM decant.search_events WHERE kind = 'similar'") == "1";
    }));
}

TEST_F(ApiStatistics, KeepThoseOfChatWithTheTimeOfItsWording) {
    const net::HttpResponse response =
        with_.post("/api/v1/chat/message", R"({"user_id": "ana", "message": "busco thing 5"})");
    ASSERT_EQ(response.status, 200) << response.body;
    metrics_of(1);
    EXPECT_EQ(with_.catalog().value("SELECT kind || (answer_ms <= milliseconds) || (run_id = '" +
                                    response.headers.at("x-request-id") + "') FROM decant.search_events"),
              "chattruetrue");
    EXPECT_THAT(with_.get("/metrics").body, HasSubstr(R"(decant_stage_duration_seconds_count{stage="answer"} 1)"));
    EXPECT_EQ(with_.post("/api/v1/chat/message", R"({"user_id": "ana", "message": "hola"})").status, 200);
    EXPECT_THAT(with_.get("/metrics").body, HasSubstr(R"(decant_stage_duration_seconds_count{stage="search"} 1)"))
        << "a greeting searches for nothing";
}

TEST_F(ApiStatistics, GiveASeriesWhereItIsAskedFor) {
    with_.post(search_path, R"({"query": "thing 5", "limit": 1})");
    const json::object answer = metrics_of(1, "?time_range=24h&series=true");
    const json::object& series = answer.at("series").as_object();
    EXPECT_EQ(series.at("bucket_seconds"), json::value(900));
    EXPECT_GE(series.at("buckets").as_array().size(), 96U);
    EXPECT_EQ(series.at("best_similarity").at(19).at("searches"), json::value(1));
    EXPECT_EQ(with_.get(metrics_path + "?time_range=1y").status, 422);
}

TEST_F(ApiStatistics, CountFailedSearchesAsErrorsAndDegradedOnesAsDegraded) {
    with_.is_model_away = true;
    EXPECT_EQ(with_.post(search_path, R"({"query": "thing 1", "strategy": "pgvector"})").status, 503);
    EXPECT_EQ(with_.post(search_path, R"({"query": "producto 1"})").status, 200);
    const json::object answer = metrics_of(2);
    EXPECT_EQ(answer.at("search_metrics").at("error_rate").to_number<double>(), 0.5);
    EXPECT_EQ(answer.at("search_metrics").at("degraded_searches"), json::value(1));
    EXPECT_EQ(with_.catalog().value("SELECT error FROM decant.search_events WHERE error IS NOT NULL"),
              "embedder_unavailable");
}

TEST_F(ApiStatistics, AreAValidExpositionForPrometheus) {
    with_.post(search_path, R"({"query": "thing 5"})");
    with_.get("/nothing/at/all");
    with_.get("/healthz");
    std::string text;
    EXPECT_TRUE(test::eventually(20s, [&] {
        text = with_.get("/metrics").body;
        return text.find("decant_products{") != std::string::npos;
    })) << "the watch of the database reads them";
    EXPECT_EQ(with_.get("/metrics").headers.at("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    EXPECT_THAT(test::exposition_faults(text), IsEmpty());
    for (const char* line :
         {R"(decant_http_requests_total{method="POST",route="/api/v1/pgvector/search",status="200"} 1)",
          R"(decant_http_requests_total{method="GET",route="unmatched",status="404"} 1)",
          R"(decant_stage_duration_seconds_count{stage="understand"} 1)",
          R"(decant_stage_duration_seconds_count{stage="embed"} 1)",
          R"(decant_stage_duration_seconds_count{stage="search"} 1)", R"(decant_products{embedding="missing"} 1)",
          R"(decant_embedding_jobs{state="ready"} 0)", "decant_database_up 1", "decant_embedder_up 1",
          R"(decant_lane_waiting_requests{lane="search"} 0)", R"(decant_build_info{version="test"} 1)"})
        EXPECT_THAT(text, HasSubstr(std::string{line} + "\n"));
    EXPECT_THAT(text, Not(HasSubstr("/nothing")));
}

TEST(ApiMetrics, CountWhatWasRefusedByARateLimit) {
    test::ApiCase with{{{"DECANT_RATE_SEARCH", "1"}}};
    for (const int status : {200, 429, 429})
        EXPECT_EQ(with.post(search_path, R"({"query": "thing 5"})").status, status);
    const std::string text = with.get("/metrics").body;
    EXPECT_THAT(text, HasSubstr("decant_http_requests_limited_total{class=\"search\"} 2\n"));
    EXPECT_THAT(text, HasSubstr(R"(route="/api/v1/pgvector/search",status="429"} 2)"));
}

TEST(ApiMetrics, TellNobodyOfTheDatabasesOwnFaults) {
    test::ApiCase with;
    with.catalog().exec("DROP TABLE decant.search_events");
    const net::HttpResponse response = with.get(metrics_path);
    EXPECT_EQ(response.status, 500) << "it is nothing that the caller asked for";
    for (const char* told : {"PostgreSQL", "relation", "search_events", "postgres"})
        EXPECT_THAT(response.body, Not(HasSubstr(told)));
}

TEST(ApiMetrics, SayThatTheDatabaseIsAwayAndTellNothingOld) {
    test::ApiCase with;
    const std::string health = "/api/v1/pgvector/health";
    EXPECT_TRUE(
        test::eventually(20s, [&] { return with.get("/metrics").body.find("decant_products{") != std::string::npos; }));
    const std::string database = test::database_of(with.catalog().decant().conninfo());
    pg::Connection admin = pg::Connection::open(test::ThrowawayCluster::shared().conninfo());
    admin.exec("ALTER DATABASE " + database + " ALLOW_CONNECTIONS false");
    admin.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", {database});
    EXPECT_TRUE(test::eventually(10s, [&] { return with.get(health).status == 503; }));
    const json::object away = body_of(with.get(health));
    EXPECT_EQ(away.at("status"), "unhealthy");
    EXPECT_EQ(away.at("pgvector_available"), json::value(false));
    std::string text;
    EXPECT_TRUE(test::eventually(10s, [&] {
        text = with.get("/metrics").body;
        return text.find("decant_database_up 0\n") != std::string::npos;
    }));
    EXPECT_THAT(test::exposition_faults(text), IsEmpty());
    EXPECT_THAT(text, Not(HasSubstr("decant_products{")));
    EXPECT_THAT(text, Not(HasSubstr("decant_embedding_jobs{")));
    admin.exec("ALTER DATABASE " + database + " ALLOW_CONNECTIONS true");
    EXPECT_TRUE(test::eventually(10s, [&] { return with.get(health).status == 200; }));
}

TEST_F(ApiStatistics, CompareTheSearchWithItsTargets) {
    for (int i = 1; i <= 3; ++i)
        with_.post(search_path, R"({"query": "thing 5", "limit": 1})");
    metrics_of(3);
    const json::object quality = body_of(with_.get("/api/v1/quality?time_range=1h"));
    EXPECT_EQ(quality.at("embedding_model"), "small");
    EXPECT_EQ(quality.at("searches"), json::value(3));
    EXPECT_EQ(quality.at("missed"), json::value(1)) << "one of the twelve products has no vector";
    std::map<std::string, std::string> states;
    for (const json::value& metric : quality.at("metrics").as_array())
        states[std::string{metric.at("name").as_string()}] = std::string{metric.at("state").as_string()};
    EXPECT_EQ(states["coverage"], "missed");
    EXPECT_EQ(states["error_rate"], "met");
    EXPECT_EQ(states["average_similarity"], "no_target");
    EXPECT_EQ(states["feedback_score"], "unknown");
    EXPECT_EQ(with_.get("/api/v1/quality?time_range=1y").status, 422);
}

TEST_F(ApiStatistics, ProbeTheIndexByThemselvesAndTellPrometheusOfTheTargets) {
    std::string text;
    EXPECT_TRUE(test::eventually(20s, [&] {
        text = with_.get("/metrics").body;
        return text.find("decant_quality_value{metric=\"index_recall\"} 1\n") != std::string::npos;
    })) << text;
    EXPECT_EQ(with_.catalog().value("SELECT count(*) || ' ' || min(queries) FROM decant.quality_probes"), "1 11");
    EXPECT_THAT(test::exposition_faults(text), IsEmpty());
    EXPECT_THAT(text, HasSubstr("decant_quality_target_met{metric=\"coverage\"} 0\n"));
    EXPECT_THAT(text, HasSubstr("decant_quality_target{metric=\"error_rate\"} 0.01\n"));
    EXPECT_THAT(text, HasSubstr("decant_quality_feedbacks 0\n"));
    EXPECT_THAT(text, Not(HasSubstr("decant_quality_target_met{metric=\"feedback_score\"}")));
}

TEST(ApiQuality, TellsPrometheusOfSearchesWhileTheIndexCannotBeProbed) {
    test::EmbeddingCase catalog;
    catalog.put(1, 1);
    catalog.exec("ALTER TABLE decant.quality_probes ADD CHECK (queries < 0)");
    QualityWatch watch{{.conninfo = catalog.decant().conninfo(),
                        .subject = [] { return quality::QualitySubject{.model = "small"}; },
                        .interval = 10ms}};
    EXPECT_TRUE(test::eventually(10s, [&] { return watch.report().has_value(); }));
    catalog.exec("INSERT INTO decant.search_events (kind, milliseconds) VALUES ('search', 1)");
    EXPECT_TRUE(test::eventually(10s, [&] { return watch.report() && watch.report()->searches == 1; }));
}

TEST_F(ApiStatistics, CountAsFailedWhatTheDatabaseDoesNotHave) {
    with_.catalog().exec("DROP TABLE products CASCADE");
    EXPECT_EQ(with_.post(search_path, R"({"query": "thing 5"})").status, 500);
    EXPECT_TRUE(test::eventually(10s, [&] {
        return with_.catalog().value("SELECT count(*) FROM decant.search_events WHERE error IS NOT NULL") == "1";
    }));
}

TEST_F(ApiStatistics, TakeFeedbackOnAnAnswer) {
    const std::string path = "/api/v1/feedback";
    const net::HttpResponse first = with_.post(path, R"({"run_id": "r-1", "score": 0, "comment": "no era eso"})");
    EXPECT_EQ(first.status, 201) << first.body;
    EXPECT_EQ(body_of(first).at("status"), "stored");
    const net::HttpResponse second = with_.post(path, R"({"run_id": "r-1", "score": 1})");
    EXPECT_EQ(body_of(second).at("status"), "replaced");
    EXPECT_EQ(body_of(second).at("feedback_id"), body_of(first).at("feedback_id"));
    EXPECT_EQ(with_.catalog().value("SELECT concat_ws(' ', subject, subject_id, score, comment) FROM decant.feedback"),
              "run r-1 1");
    EXPECT_EQ(with_.post(path, R"({"score": 1})").status, 422);
    EXPECT_EQ(with_.post(path, R"({"score": 1, "run_id": "a", "message_id": "b"})").status, 422);
    EXPECT_EQ(with_.post(path, R"({"score": 1.5, "run_id": "a"})").status, 422);
    EXPECT_EQ(with_.post(path, R"({"run_id": "a"})").status, 422);
}

TEST_F(ApiStatistics, TakeAChoiceForNoOpinion) {
    const std::string path = "/api/v1/feedback";
    const std::string product = with_.catalog().id_of("p-5");
    const auto kept = [&] {
        return with_.catalog().value("SELECT concat_ws(' ', score, comment, product_id) FROM decant.feedback");
    };
    const net::HttpResponse chosen =
        with_.post(path, fmt::format(R"({{"run_id": "r-1", "product_id": "{}"}})", product));
    EXPECT_EQ(chosen.status, 201) << chosen.body;
    EXPECT_EQ(kept(), product);
    const json::object quality = body_of(with_.get("/api/v1/quality"));
    EXPECT_EQ(quality.at("feedbacks"), 0);
    with_.post(path, R"({"run_id": "r-1", "score": 0.25, "comment": "caro"})");
    EXPECT_EQ(kept(), "0.25 caro " + product);
    with_.post(path, fmt::format(R"({{"run_id": "r-1", "product_id": "{}"}})", with_.catalog().id_of("p-6")));
    EXPECT_EQ(kept(), "0.25 caro " + with_.catalog().id_of("p-6"));
}

}  // namespace
}  // namespace decant::api
