// The search's quality against its targets: from events, feedback, the catalog and probes of the index.

#include "quality/monitor.hpp"

#include <gmock/gmock.h>

#include "core/error.hpp"
#include "store/experiment_store.hpp"
#include "store/search_events.hpp"
#include "tests/support/embedding_case.hpp"

namespace decant::test {
namespace {

using quality::probe_if_due;
using quality::QualityMetric;
using quality::TargetState;
using quality::Trend;
using store::MetricsRange;
using testing::DoubleNear;
using testing::ElementsAre;
using testing::Optional;

class QualityMonitor : public testing::Test {
protected:
    void put(const std::string& columns, const std::string& values) const {
        with_.exec("INSERT INTO decant.search_events (kind, " + columns + ") VALUES " + values);
    }
    QualityMetric metric(std::string_view name, MetricsRange range = MetricsRange::day) {
        const quality::QualityReport report = read_quality(db_, range, subject_);
        const auto found = std::ranges::find(report.metrics, name, &QualityMetric::name);
        return found == report.metrics.end() ? QualityMetric{} : *found;
    }
    /// `count` products with vectors of their own.
    void put_products(int count) const {
        with_.put(1, count);
        with_.exec(
            "UPDATE products SET embedding = (SELECT array_agg(sin(i * (substr(sku, 3)::int + 1))) FROM "
            "generate_series(1, 8) i)::vector, embedding_model = 'small', last_embedding_update = timezone('UTC', "
            "now())");
    }

    EmbeddingCase with_;
    pg::Connection db_ = with_.open();
    quality::QualitySubject subject_{.model = "small", .similarity_target = 0.75};
};

TEST_F(QualityMonitor, KnowsNothingOfNoSearches) {
    const quality::QualityReport report = read_quality(db_, MetricsRange::day, subject_);
    EXPECT_EQ(report.searches, 0U);
    EXPECT_EQ(report.missed(), 0U);
    EXPECT_EQ(report.metrics.size(), 9U);
    for (const QualityMetric& one : report.metrics)
        EXPECT_EQ(one.state(), TargetState::unknown) << one.name;
}

TEST_F(QualityMonitor, ComparesWithTheTargetsOfTheGuide) {
    put("milliseconds, results, mean_similarity",
        "('search', 100, 3, 0.8), ('search', 100, 2, 0.72), ('chat', 100, 1, 0.76), ('similar', 9000, 0, 0.1), "
        "('shadow', 9000, 0, 0.1)");
    EXPECT_THAT(metric("average_similarity").value, Optional(DoubleNear(0.76, 1e-9)));
    for (const std::string_view name : {"average_similarity", "response_time_p95_ms", "error_rate", "without_result"})
        EXPECT_EQ(metric(name).state(), TargetState::met) << name;
    put("milliseconds, results, mean_similarity, error",
        "('search', 5000, 0, NULL, NULL), ('search', 1, 0, NULL, 'store_unavailable'), ('search', 3, 1, 0.1, NULL)");
    EXPECT_EQ(metric("average_similarity").state(), TargetState::missed);
    EXPECT_EQ(metric("response_time_p95_ms").state(), TargetState::missed);
    EXPECT_THAT(metric("error_rate").value, Optional(DoubleNear(1.0 / 6, 1e-9)));
    EXPECT_THAT(metric("without_result").value, Optional(DoubleNear(0.2, 1e-9))) << "a failure is none of them";
    EXPECT_EQ(read_quality(db_, MetricsRange::day, subject_).missed(), 4U);
}

TEST_F(QualityMonitor, SeesSearchesThatWentWithoutALeg) {
    put("milliseconds, results, degraded, run_id, error",
        "('search', 1, 3, false, 'whole', NULL), ('search', 1, 3, true, 'words', NULL), ('search', 1, 0, true, 'none', "
        "'store_unavailable')");
    EXPECT_THAT(metric("degraded").value, Optional(DoubleNear(0.5, 1e-9))) << "a failure is none of them";
    EXPECT_EQ(metric("degraded").state(), TargetState::missed);
    const std::vector<store::FailedSearch> failed = failed_searches(db_, MetricsRange::day, subject_, 50);
    const auto words = std::ranges::find(failed, "words", &store::FailedSearch::run_id);
    ASSERT_NE(words, failed.end());
    EXPECT_THAT(failures_of(*words, subject_), ElementsAre("degraded"));
}

TEST_F(QualityMonitor, TakesNoTimeFromFailures) {
    put("milliseconds, error",
        "('search', 3000, NULL), ('search', 1, 'store_unavailable'), ('search', 1, 'timed_out')");
    EXPECT_EQ(metric("response_time_p95_ms").state(), TargetState::missed) << "quick failures make no search quicker";
}

TEST_F(QualityMonitor, ComparesWithNothingWhereTheEventsBeforeAreRemoved) {
    put("milliseconds, results, mean_similarity, experiment, created_at",
        "('search', 1, 1, 0.8, NULL, now()), ('search', 1, 1, 0.6, NULL, now() - interval '25 hours'), "
        "('search', 1, 1, 0.6, 'kept', now() - interval '47 hours')");
    EXPECT_EQ(metric("average_similarity").trend(), Trend::unknown) << "one hour is no day";
    EXPECT_EQ(metric("average_similarity").before, std::nullopt);
    put("milliseconds, results, mean_similarity, created_at", "('search', 1, 1, 0.6, now() - interval '40 hours')");
    EXPECT_EQ(metric("average_similarity").trend(), Trend::better);
}

TEST_F(QualityMonitor, LeavesTheWordingOfAChatsAnswerOutOfItsTime) {
    put("milliseconds, answer_ms", "('chat', 5100, 5000)");
    EXPECT_THAT(metric("response_time_p95_ms").value, Optional(DoubleNear(100, 1e-9)));
}

TEST_F(QualityMonitor, HasNoTargetForAModelThatNobodyMeasured) {
    put("milliseconds, results, mean_similarity", "('search', 1, 1, 0.2)");
    subject_.similarity_target = {};
    EXPECT_EQ(metric("average_similarity").state(), TargetState::no_target);
    EXPECT_EQ(quality::subject_of("ollama", "nomic-embed-text:latest").similarity_target, 0.75);
    EXPECT_TRUE(quality::subject_of("local", "multilingual-e5-small").similarity_target);
    EXPECT_FALSE(quality::subject_of("openai", "text-embedding-3-small").similarity_target);
}

TEST_F(QualityMonitor, TellsTheTrendAgainstTheRangeBefore) {
    put("milliseconds, results, mean_similarity, created_at",
        "('search', 100, 3, 0.8, now()), ('search', 100, 0, 0.6, now() - interval '30 hours'), ('search', 100, 3, 0.9, "
        "now() - interval '50 hours')");
    EXPECT_THAT(metric("average_similarity").before, Optional(DoubleNear(0.6, 1e-9)));
    EXPECT_EQ(metric("average_similarity").trend(), Trend::better);
    EXPECT_EQ(metric("without_result").trend(), Trend::better) << "less is better";
    EXPECT_EQ(metric("response_time_p95_ms").trend(), Trend::steady);
    EXPECT_EQ(metric("average_similarity", MetricsRange::week).trend(), Trend::unknown);
}

TEST_F(QualityMonitor, CountsFeedbackOfTheRange) {
    with_.exec(
        "INSERT INTO decant.feedback (subject, subject_id, caller, score, created_at) VALUES ('run', 'a', 'x', 1, "
        "now()), ('run', 'b', 'x', 0, now()), ('run', 'c', 'x', 1, now() - interval '30 hours')");
    EXPECT_THAT(metric("feedback_score").value, Optional(DoubleNear(0.5, 1e-9)));
    EXPECT_EQ(metric("feedback_score").state(), TargetState::missed);
    EXPECT_EQ(metric("feedback_score").trend(), Trend::unknown) << "most of the day before may be removed";
    put("milliseconds, created_at", "('search', 1, now() - interval '40 hours')");
    EXPECT_EQ(metric("feedback_score").trend(), Trend::worse);
}

TEST_F(QualityMonitor, ProbesTheIndexAndTheCatalogAndKeepsTheHistory) {
    put_products(60);
    with_.exec("UPDATE products SET name = name || ' x' WHERE sku IN ('p-1', 'p-2', 'p-3')");
    EXPECT_TRUE(probe_if_due(db_, {.model = "small", .queries = 10}));
    EXPECT_FALSE(probe_if_due(db_, {.model = "small"})) << "the one of before is young enough";
    EXPECT_TRUE(probe_if_due(db_, {.model = "small", .least_age_seconds = 0, .queries = 10}));
    EXPECT_EQ(with_.value("SELECT count(*) || ' ' || min(queries) || ' ' || min(products) FROM decant.quality_probes"),
              "2 10 60");
    EXPECT_THAT(metric("index_recall").value, Optional(DoubleNear(1, 0.05)));
    EXPECT_EQ(metric("coverage").value, 1);
    EXPECT_THAT(metric("stale").value, Optional(DoubleNear(0.05, 1e-9)));
    EXPECT_EQ(metric("stale").state(), TargetState::missed) << "under 5 % is the target";
    with_.exec(
        "UPDATE decant.quality_probes SET measured_at = measured_at - interval '25 hours', coverage = 0.5 WHERE "
        "measured_at = (SELECT min(measured_at) FROM decant.quality_probes)");
    EXPECT_THAT(metric("coverage").before, Optional(0.5));
    EXPECT_EQ(metric("coverage").trend(), Trend::better);
    with_.exec("UPDATE decant.quality_probes SET coverage = 0, stale = 0 WHERE coverage = 0.5");
    EXPECT_EQ(metric("stale").trend(), Trend::unknown) << "of no vectors none is stale";
}

TEST_F(QualityMonitor, ProbesACatalogWithoutVectorsToo) {
    with_.put(1, 4);
    EXPECT_TRUE(probe_if_due(db_, {.model = "small"}));
    EXPECT_EQ(metric("index_recall").state(), TargetState::unknown);
    EXPECT_EQ(metric("coverage").state(), TargetState::missed);
}

TEST_F(QualityMonitor, EndsAProbeWhenItIsToldTo) {
    put_products(30);
    EXPECT_THROW(probe_if_due(db_, {.model = "small", .may_go_on = [] { return false; }}), Error);
    EXPECT_EQ(with_.value("SELECT count(*) FROM decant.quality_probes"), "0");
}

TEST_F(QualityMonitor, TellsNothingFromAnOldProbeAndNoTrendFromOne) {
    const std::string probe =
        "INSERT INTO decant.quality_probes (measured_at, recall, queries, products, coverage, stale, milliseconds) "
        "VALUES (now() - interval '{}', 1, 50, 60, 1, 0, 5)";
    with_.exec(fmt::format(fmt::runtime(probe), "3 days"));
    EXPECT_EQ(metric("index_recall").state(), TargetState::met);
    EXPECT_EQ(metric("index_recall").before, std::nullopt) << "it would be compared with itself";
    with_.exec("UPDATE decant.quality_probes SET measured_at = now() - interval '8 days'");
    EXPECT_EQ(metric("index_recall").state(), TargetState::unknown);
}

TEST_F(QualityMonitor, FindsAProbeOfAnIndexThatMissesProducts) {
    put_products(60);
    with_.exec(
        "INSERT INTO decant.quality_probes (recall, queries, products, coverage, stale, milliseconds) VALUES "
        "(0.8, 50, 60, 1, 0, 5)");
    EXPECT_EQ(metric("index_recall").state(), TargetState::missed);
}

TEST_F(QualityMonitor, ListsSearchesThatFailedByThemselves) {
    put("milliseconds, results, mean_similarity, error, run_id, question",
        "('search', 5, 3, 0.9, NULL, 'good', NULL), ('search', 2500, 3, 0.5, NULL, 'slow', 'heladera'), ('search', 5, "
        "0, "
        "NULL, NULL, 'empty', NULL), ('chat', 5, 0, NULL, 'store_unavailable', 'failed', NULL), ('search', 5, 3, 0.9, "
        "NULL, 'disliked', NULL), ('similar', 9000, 0, NULL, NULL, 'similar', NULL)");
    with_.exec("INSERT INTO decant.feedback (subject, subject_id, caller, score) VALUES ('run', 'disliked', 'x', 0)");
    std::map<std::string, std::vector<std::string_view>> failures;
    for (const store::FailedSearch& search : failed_searches(db_, MetricsRange::day, subject_, 50))
        failures[search.run_id] = failures_of(search, subject_);
    EXPECT_EQ(failures.size(), 4U);
    EXPECT_THAT(failures["slow"], ElementsAre("slow", "similarity"));
    EXPECT_THAT(failures["empty"], ElementsAre("no result"));
    EXPECT_THAT(failures["failed"], ElementsAre("error"));
    EXPECT_THAT(failures["disliked"], ElementsAre("feedback"));
    EXPECT_EQ(failed_searches(db_, MetricsRange::day, subject_, 2).size(), 2U);
}

TEST_F(QualityMonitor, ListsWhatWasDislikedByItsMessage) {
    put("milliseconds, results, run_id, message_id", "('chat', 5, 3, 'a', 'm-1'), ('chat', 5, 3, 'b', 'm-2')");
    with_.exec("INSERT INTO decant.feedback (subject, subject_id, caller, score) VALUES ('message', 'm-2', 'x', 0)");
    const std::vector<store::FailedSearch> failed = failed_searches(db_, MetricsRange::day, subject_, 50);
    ASSERT_EQ(failed.size(), 1U);
    EXPECT_EQ(failed[0].run_id, "b");
    EXPECT_THAT(failures_of(failed[0], subject_), ElementsAre("feedback"));
}

TEST_F(QualityMonitor, NamesTheTraceOfAFailedSearchWhereOneIsKept) {
    put("milliseconds, results, run_id", "('search', 5, 0, 'traced'), ('search', 5, 0, 'untraced')");
    with_.exec(
        "CREATE TABLE IF NOT EXISTS decant.trace_runs (id uuid PRIMARY KEY, trace_id uuid NOT NULL, request_id text, "
        "name "
        "text NOT NULL, run_type text NOT NULL, started_at timestamptz NOT NULL, milliseconds float8 NOT NULL, inputs "
        "jsonb NOT NULL, outputs jsonb NOT NULL, metadata jsonb NOT NULL, tags text[] NOT NULL, is_sampled bool NOT "
        "NULL, "
        "bytes int NOT NULL);"
        "INSERT INTO decant.trace_runs (id, trace_id, request_id, name, run_type, started_at, milliseconds, inputs, "
        "outputs, metadata, tags, is_sampled, bytes) SELECT gen_random_uuid(), '00000000-0000-4000-8000-000000000001', "
        "'traced', 'search', 'chain', now(), 1, '{}', '{}', '{}', '{}', false, 1");
    std::map<std::string, std::string> traces;
    for (const store::FailedSearch& search : failed_searches(db_, MetricsRange::day, subject_, 50))
        traces[search.run_id] = search.trace_id;
    EXPECT_EQ(traces["traced"], "00000000-0000-4000-8000-000000000001");
    EXPECT_EQ(traces["untraced"], "");
}

TEST_F(QualityMonitor, KeepsTheEventsOfAnExperimentThatRuns) {
    put("milliseconds, experiment, created_at",
        "('search', 1, 'summer', now() - interval '40 days'), ('search', 1, NULL, now() - interval '40 days')");
    store::ExperimentStore experiments{db_};
    experiments.start({.name = "summer", .arms = {{"fusion", 1}, {"keyword", 1}}, .metric = "chosen"});
    EXPECT_EQ(store::prune_search_events(db_, 30), 1U);
    experiments.stop("summer");
    EXPECT_EQ(store::prune_search_events(db_, 30), 1U);
}

TEST_F(QualityMonitor, LetsOneExperimentRunAtATime) {
    store::ExperimentStore experiments{db_};
    const store::Experiment summer{.name = "summer", .arms = {{"fusion", 70}, {"keyword", 30}}, .metric = "chosen"};
    EXPECT_EQ(experiments.running(), std::nullopt);
    EXPECT_TRUE(experiments.start(summer).is_running());
    EXPECT_EQ(experiments.running()->arms[1].weight, 30);
    store::Experiment winter = summer;
    winter.name = "winter";
    EXPECT_THROW(experiments.start(winter), Error);
    EXPECT_FALSE(experiments.stop("summer").is_running());
    EXPECT_THROW(experiments.start(summer), Error) << "the name is taken";
    EXPECT_TRUE(experiments.start(winter).is_running());
    EXPECT_EQ(experiments.list().size(), 2U);
    EXPECT_THROW(experiments.find("sumer"), Error);
}

TEST_F(QualityMonitor, CountsEachUnitOfAnExperimentOnce) {
    store::ExperimentStore experiments{db_};
    const store::Experiment summer =
        experiments.start({.name = "summer", .arms = {{"fusion", 1}, {"keyword", 1}}, .metric = "latency"});
    put("milliseconds, results, experiment, arm, unit, run_id, error",
        "('search', 10, 1, 'summer', 'fusion', 'u1', 'a', NULL), ('search', 30, 3, 'summer', 'fusion', 'u1', 'b', "
        "NULL), "
        "('search', 60, 0, 'summer', 'fusion', 'u2', 'c', NULL), ('search', 900, 0, 'summer', 'fusion', 'u2', 'd', "
        "'timed_out'), ('search', 5, 1, 'other', 'fusion', 'u3', 'e', NULL)");
    std::map<std::string, store::ArmFigure> figures;
    for (const store::ArmFigure& figure : experiments.figures(summer))
        figures[figure.metric] = figure;
    EXPECT_EQ(figures["latency"].units, 2U);
    EXPECT_DOUBLE_EQ(figures["latency"].mean, 40) << "the mean of 20 and 60; a failure has no time";
    EXPECT_DOUBLE_EQ(figures["latency"].variance, 800);
    EXPECT_DOUBLE_EQ(figures["results"].mean, 1);
    EXPECT_DOUBLE_EQ(figures["empty"].mean, 0.5);
    EXPECT_DOUBLE_EQ(figures["errors"].mean, 0.25);
    EXPECT_DOUBLE_EQ(figures["chosen"].mean, 0);
    EXPECT_FALSE(figures.contains("feedback")) << "nobody gave any";
    const std::vector<store::ArmTraffic> traffic = experiments.traffic(summer);
    ASSERT_EQ(traffic.size(), 1U);
    EXPECT_EQ(traffic[0].searches, 4U);
}

}  // namespace
}  // namespace decant::test
