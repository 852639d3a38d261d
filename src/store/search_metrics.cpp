#include "store/search_metrics.hpp"

#include <fmt/format.h>

#include <array>

namespace decant::store {
namespace {

/// By MetricsRange.
constexpr std::array<std::string_view, 4> spans{"1 hour", "24 hours", "7 days", "30 days"};
constexpr std::array<std::uint64_t, 4> bucket_seconds{60, 900, 7'200, 28'800};

constexpr int figure_columns = 10;
// Of a left join's empty bucket ms is NULL.
constexpr std::string_view figures = R"sql(
    count(ms), count(error), count(*) FILTER (WHERE degraded), count(*) FILTER (WHERE error IS NULL AND results = 0),
    count(*) FILTER (WHERE best_similarity < threshold + 0.05),
    avg(ms), percentile_cont(0.5) WITHIN GROUP (ORDER BY ms), percentile_cont(0.95) WITHIN GROUP (ORDER BY ms),
    percentile_cont(0.99) WITHIN GROUP (ORDER BY ms), avg(mean_similarity))sql";

// A product's neighbours are another thing than a question's answer, and a shadow answers nobody: both are left out.
constexpr std::string_view totals_template = R"sql(
SELECT {figures}, strategy_used, grouping(strategy_used) = 1
FROM (SELECT *, milliseconds - coalesce(answer_ms, 0) AS ms FROM decant.search_events
      WHERE kind IN ('search', 'chat') AND created_at > pg_catalog.now() - $1::interval) e
GROUP BY GROUPING SETS ((), (strategy_used))
ORDER BY 12 DESC, 1 DESC, 11)sql";

// date_bin against a fixed day: the same buckets at every call.
constexpr std::string_view series_template = R"sql(
WITH range AS (SELECT pg_catalog.make_interval(secs => $2::float8) AS width, timestamptz '2000-01-01 00:00+00' AS origin),
     bounds AS (SELECT date_bin(width, pg_catalog.now() - $1::interval, origin) + width AS first,
                       date_bin(width, pg_catalog.now(), origin) AS last, width, origin FROM range)
SELECT {figures}, to_char(start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
FROM bounds CROSS JOIN LATERAL generate_series(first, last, width) AS start
LEFT JOIN (SELECT *, milliseconds - coalesce(answer_ms, 0) AS ms FROM decant.search_events
           WHERE kind IN ('search', 'chat') AND created_at > pg_catalog.now() - $1::interval) e
       ON date_bin(width, e.created_at, origin) = start
GROUP BY start ORDER BY start)sql";

constexpr std::string_view similarity_sql = R"sql(
SELECT least(19, greatest(0, floor(best_similarity * 20)))::int, count(*) FROM decant.search_events
WHERE kind IN ('search', 'chat') AND best_similarity IS NOT NULL AND created_at > pg_catalog.now() - $1::interval
GROUP BY 1)sql";

constexpr std::string_view unanswered_sql = R"sql(
SELECT question, count(*), to_char(max(created_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
FROM decant.search_events
WHERE kind IN ('search', 'chat') AND error IS NULL AND results = 0 AND question IS NOT NULL
  AND created_at > pg_catalog.now() - $1::interval
GROUP BY question ORDER BY count(*) DESC, max(created_at) DESC, question LIMIT $2::bigint)sql";

constexpr std::string_view embeddings_sql = R"sql(
SELECT (SELECT count(*) FROM products WHERE embedding IS NOT NULL
          AND last_embedding_update > pg_catalog.timezone('UTC', pg_catalog.now()) - $1::interval),
       (SELECT count(*) FROM decant.embedding_jobs), (SELECT count(*) FROM decant.embedding_dead_letters))sql";

std::optional<double> optional_real(const pg::Result& rows, int row, int column) {
    return rows.is_null(row, column) ? std::nullopt : std::optional{rows.real(row, column)};
}

SearchFigures figures_of(const pg::Result& rows, int row) {
    const auto number = [&](int column) { return static_cast<std::uint64_t>(rows.integer(row, column)); };
    return {.searches = number(0),
            .errors = number(1),
            .degraded = number(2),
            .without_results = number(3),
            .low_quality = number(4),
            .mean_ms = optional_real(rows, row, 5),
            .p50_ms = optional_real(rows, row, 6),
            .p95_ms = optional_real(rows, row, 7),
            .p99_ms = optional_real(rows, row, 8),
            .mean_similarity = optional_real(rows, row, 9)};
}

}  // namespace

std::string span_of(MetricsRange range) {
    return std::string{spans[static_cast<std::size_t>(range)]};
}

SearchMetrics read_search_metrics(pg::Connection& db, MetricsRange range) {
    SearchMetrics metrics;
    const pg::Result rows = db.query(fmt::format(totals_template, fmt::arg("figures", figures)), {span_of(range)});
    for (int row = 0; row < rows.rows(); ++row) {
        if (rows.boolean(row, figure_columns + 1))
            metrics.all = figures_of(rows, row);
        else
            metrics.strategies.emplace_back(rows.optional_text(row, figure_columns).value_or("none"),
                                            figures_of(rows, row));
    }
    const pg::Result embeddings = db.query(embeddings_sql, {span_of(range)});
    metrics.embeddings = {.generated = static_cast<std::uint64_t>(embeddings.integer(0, 0)),
                          .waiting = static_cast<std::uint64_t>(embeddings.integer(0, 1)),
                          .dead = static_cast<std::uint64_t>(embeddings.integer(0, 2))};
    return metrics;
}

MetricsSeries read_metrics_series(pg::Connection& db, MetricsRange range) {
    MetricsSeries series{.bucket_seconds = bucket_seconds[static_cast<std::size_t>(range)],
                         .buckets = {},
                         .best_similarity = std::vector<std::uint64_t>(20)};
    const pg::Result rows = db.query(fmt::format(series_template, fmt::arg("figures", figures)),
                                     {span_of(range), std::to_string(series.bucket_seconds)});
    for (int row = 0; row < rows.rows(); ++row)
        series.buckets.push_back({std::string{rows.text(row, figure_columns)}, figures_of(rows, row)});
    const pg::Result similarity = db.query(similarity_sql, {span_of(range)});
    for (int row = 0; row < similarity.rows(); ++row) {
        series.best_similarity[static_cast<std::size_t>(similarity.integer(row, 0))] =
            static_cast<std::uint64_t>(similarity.integer(row, 1));
    }
    return series;
}

std::vector<UnansweredQuestion> read_unanswered_questions(pg::Connection& db, MetricsRange range, std::size_t limit) {
    const pg::Result rows = db.query(unanswered_sql, {span_of(range), std::to_string(limit)});
    std::vector<UnansweredQuestion> questions;
    for (int row = 0; row < rows.rows(); ++row) {
        questions.push_back({.question = std::string{rows.text(row, 0)},
                             .searches = static_cast<std::uint64_t>(rows.integer(row, 1)),
                             .last = std::string{rows.text(row, 2)}});
    }
    return questions;
}

}  // namespace decant::store
