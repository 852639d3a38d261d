// Metrics over time, from decant.search_events, and figures of embeddings.

#include "store/search_metrics.hpp"

#include <numeric>

#include "store/embedding_statistics.hpp"
#include "tests/support/embedding_case.hpp"

namespace decant::test {
namespace {

using store::MetricsRange;
using testing::DoubleNear;
using testing::Optional;

class MetricsOverTime : public testing::Test {
protected:
    /// `columns` and one row of values each.
    void put(const std::string& columns, const std::string& values) const {
        with_.exec("INSERT INTO decant.search_events (" + columns + ") VALUES " + values);
    }
    store::SearchMetrics read(MetricsRange range = MetricsRange::hour) { return read_search_metrics(db_, range); }

    EmbeddingCase with_;
    pg::Connection db_ = with_.open();
};

TEST_F(MetricsOverTime, OfNothingAreZeroAndUnknown) {
    const store::SearchMetrics metrics = read();
    EXPECT_EQ(metrics.all.searches, 0U);
    EXPECT_EQ(metrics.all.error_rate(), 0);
    EXPECT_EQ(metrics.all.mean_ms, std::nullopt);
    EXPECT_EQ(metrics.all.mean_similarity, std::nullopt);
    EXPECT_TRUE(metrics.strategies.empty());
}

TEST_F(MetricsOverTime, TellLatencyAsPercentilesWithoutTheWordingOfAnswers) {
    with_.exec(
        "INSERT INTO decant.search_events (kind, milliseconds, answer_ms) "
        "SELECT 'search', i, NULL FROM generate_series(1, 100) i UNION ALL SELECT 'chat', 3000 + 101, 3000");
    const store::SearchFigures all = read().all;
    EXPECT_EQ(all.searches, 101U);
    EXPECT_THAT(all.mean_ms, Optional(DoubleNear(51, 1e-9)));
    EXPECT_THAT(all.p50_ms, Optional(DoubleNear(51, 1e-9)));
    EXPECT_THAT(all.p95_ms, Optional(DoubleNear(96, 1e-9)));
    EXPECT_THAT(all.p99_ms, Optional(DoubleNear(100, 1e-9)));
}

TEST_F(MetricsOverTime, TellErrorsEmptyAndWeakAnswersOfEachStrategy) {
    put("kind, milliseconds, strategy_used, results, best_similarity, mean_similarity, threshold, degraded, error",
        "('search', 1, 'pgvector', 5, 0.9, 0.8, 0.7, false, NULL), ('search', 1, 'pgvector', 2, 0.74, 0.7, 0.7, false, "
        "NULL), ('search', 1, 'pgvector', 0, NULL, NULL, 0.7, false, NULL), ('search', 1, 'keyword', 3, NULL, NULL, "
        "NULL, true, NULL), ('search', 1, NULL, 0, NULL, NULL, NULL, false, 'store_unavailable')");
    const store::SearchMetrics metrics = read();
    EXPECT_EQ(metrics.all.searches, 5U);
    EXPECT_EQ(metrics.all.errors, 1U);
    EXPECT_DOUBLE_EQ(metrics.all.error_rate(), 0.2);
    EXPECT_EQ(metrics.all.without_results, 1U) << "a failure is none of them";
    EXPECT_EQ(metrics.all.low_quality, 1U) << "under 0.75 with the threshold 0.7";
    EXPECT_EQ(metrics.all.degraded, 1U);
    EXPECT_THAT(metrics.all.mean_similarity, Optional(DoubleNear(0.75, 1e-9)));
    ASSERT_EQ(metrics.strategies.size(), 3U);
    EXPECT_EQ(metrics.strategies[0].first, "pgvector");
    EXPECT_EQ(metrics.strategies[0].second.searches, 3U);
    EXPECT_EQ(metrics.strategies[1].first, "keyword");
    EXPECT_EQ(metrics.strategies[1].second.degraded, 1U);
    EXPECT_EQ(metrics.strategies[2].first, "none");
    EXPECT_EQ(metrics.strategies[2].second.errors, 1U);
}

TEST_F(MetricsOverTime, AreOfTheRangeAloneAndNotOfSimilarProducts) {
    put("kind, milliseconds, created_at",
        "('search', 1, now() - interval '30 minutes'), ('search', 1, now() - interval '2 hours'), ('search', 1, now() "
        "- "
        "interval '3 days'), ('search', 1, now() - interval '20 days'), ('search', 1, now() - interval '40 days'), "
        "('similar', 1, now())");
    EXPECT_EQ(read(MetricsRange::hour).all.searches, 1U);
    EXPECT_EQ(read(MetricsRange::day).all.searches, 2U);
    EXPECT_EQ(read(MetricsRange::week).all.searches, 3U);
    EXPECT_EQ(read(MetricsRange::month).all.searches, 4U);
}

TEST_F(MetricsOverTime, CountEmbeddingsThatWereMadeWaitAndWereGivenUp) {
    with_.put(1, 5);
    with_.exec(
        "UPDATE products SET embedding = '[1,2,3,4,5,6,7,8]', last_embedding_update = timezone('UTC', now()) - "
        "interval "
        "'12 hours' WHERE sku IN ('p-1', 'p-2');"
        "UPDATE products SET last_embedding_update = timezone('UTC', now()) - interval '36 hours' WHERE sku = 'p-2';"
        "INSERT INTO decant.embedding_dead_letters SELECT id, 5, 'poison' FROM products WHERE sku = 'p-3'");
    const store::EmbeddingFigures figures = read(MetricsRange::day).embeddings;
    EXPECT_EQ(figures.generated, 1U);
    EXPECT_EQ(figures.waiting, 5U);
    EXPECT_EQ(figures.dead, 1U);
}

TEST_F(MetricsOverTime, FillASeriesOfBucketsWithoutGaps) {
    put("kind, milliseconds, created_at, best_similarity",
        "('search', 10, now(), 0.93), ('search', 30, now(), 1.0), ('search', 5, now() - interval '40 minutes', -0.2), "
        "('search', 7, now() - interval '2 hours', 0.5)");
    for (const MetricsRange range : {MetricsRange::hour, MetricsRange::day, MetricsRange::week, MetricsRange::month}) {
        const store::MetricsSeries series = store::read_metrics_series(db_, range);
        const auto sum = std::accumulate(
            series.buckets.begin(), series.buckets.end(), std::uint64_t{0},
            [](std::uint64_t searches, const auto& bucket) { return searches + bucket.figures.searches; });
        EXPECT_EQ(sum, range == MetricsRange::hour ? 3U : 4U);
        EXPECT_GE(series.buckets.size(), 60U);
        EXPECT_LE(series.buckets.size(), 97U);
    }
    const store::MetricsSeries series = store::read_metrics_series(db_, MetricsRange::hour);
    EXPECT_EQ(series.best_similarity[18], 1U);
    EXPECT_EQ(series.best_similarity[19], 1U) << "1.0 is in the last";
    EXPECT_EQ(series.best_similarity[0], 1U) << "and what is under 0 in the first";
}

/// 1 has a vector, 2 a marked one, 3 one of another model, 4 none, 5 a vector of ten days ago, 6 is not active.
void put_mixed(const EmbeddingCase& with) {
    with.put(1, 6);
    with.exec(
        "UPDATE products SET embedding = '[1,2,3,4,5,6,7,8]', embedding_model = 'small', last_embedding_update = "
        "timezone('UTC', now()) - interval '1 day' WHERE sku <> 'p-4';"
        "UPDATE products SET last_embedding_update = NULL WHERE sku = 'p-2';"
        "UPDATE products SET embedding_model = 'other' WHERE sku = 'p-3';"
        "UPDATE products SET last_embedding_update = timezone('UTC', now()) - interval '10 days' WHERE sku = 'p-5';"
        "UPDATE products SET active = false WHERE sku = 'p-6'");
}

TEST(EmbeddingStatistics, CountActiveProductsByTheStateOfTheirVectors) {
    const EmbeddingCase with;
    put_mixed(with);
    pg::Connection db = with.open();
    const store::EmbeddingStatistics statistics = store::read_embedding_statistics(db, "small");
    EXPECT_EQ(statistics.products, 5U);
    EXPECT_EQ(statistics.with_embedding, 4U);
    EXPECT_EQ(statistics.without_embedding(), 1U);
    EXPECT_DOUBLE_EQ(statistics.coverage_percentage(), 80);
    EXPECT_EQ(statistics.stale, 2U);
    EXPECT_THAT(statistics.average_age_days, Optional(DoubleNear(4, 0.01)));
    EXPECT_EQ(statistics.last_update, with.value("SELECT to_char(max(last_embedding_update), "
                                                 "'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') FROM products WHERE active"));
}

TEST(EmbeddingStatistics, OfAnEmptyCatalogMissNothing) {
    const EmbeddingCase with;
    pg::Connection db = with.open();
    const store::EmbeddingStatistics statistics = store::read_embedding_statistics(db, "small");
    EXPECT_EQ(statistics.products, 0U);
    EXPECT_DOUBLE_EQ(statistics.coverage_percentage(), 100);
    EXPECT_EQ(statistics.last_update, std::nullopt);
    EXPECT_EQ(statistics.average_age_days, std::nullopt);
}

TEST(StaleEmbeddings, AreMarkedOfAnotherModelOrOlderThanTheThreshold) {
    const EmbeddingCase with;
    put_mixed(with);
    pg::Connection db = with.open();
    const auto names = [&](int days, std::uint64_t limit) {
        std::string all;
        const store::StaleEmbeddings stale =
            store::read_stale_embeddings(db, {.model = "small", .days = days, .limit = limit});
        for (const store::StaleEmbedding& one : stale.rows)
            all += one.name + ", ";
        return all + std::to_string(stale.total);
    };
    EXPECT_EQ(names(7, 100), "Producto 2, Producto 5, Producto 3, 3");
    EXPECT_EQ(names(30, 100), "Producto 2, Producto 3, 2");
    EXPECT_EQ(names(7, 1), "Producto 2, 3") << "the total is of all";
    const auto rows = store::read_stale_embeddings(db, {.model = "small", .days = 7, .limit = 2}).rows;
    EXPECT_EQ(rows[0].last_update, std::nullopt);
    EXPECT_EQ(rows[0].days, std::nullopt);
    EXPECT_THAT(rows[1].days, Optional(DoubleNear(10, 0.01)));
    EXPECT_EQ(rows[1].product_id, with.id_of("p-5"));
}

}  // namespace
}  // namespace decant::test
