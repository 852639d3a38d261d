#include "store/quality_figures.hpp"

#include <fmt/format.h>

#include <map>

namespace decant::store {
namespace {

constexpr std::string_view figures_sql = R"sql(
SELECT span.is_now, count(e.kind), avg((e.error IS NOT NULL)::int) FILTER (WHERE e.kind IS NOT NULL),
       avg((e.results = 0)::int) FILTER (WHERE e.error IS NULL),
       percentile_cont(0.95) WITHIN GROUP (ORDER BY e.milliseconds - coalesce(e.answer_ms, 0))
           FILTER (WHERE e.error IS NULL), avg(e.mean_similarity), avg(e.degraded::int) FILTER (WHERE e.error IS NULL),
       span.is_now OR EXISTS (SELECT FROM decant.search_events old
                              WHERE old.created_at < span.start + $1::interval / 2 AND old.experiment IS NULL)
FROM (VALUES (true, pg_catalog.now() - $1::interval, 'infinity'::timestamptz),
             (false, pg_catalog.now() - 2 * $1::interval, pg_catalog.now() - $1::interval)) AS span (is_now, start, stop)
LEFT JOIN decant.search_events e
       ON e.kind IN ('search', 'chat') AND e.created_at > span.start AND e.created_at <= span.stop
GROUP BY span.is_now, span.start ORDER BY span.is_now DESC)sql";

constexpr std::string_view feedback_sql = R"sql(
SELECT count(score) FILTER (WHERE created_at > pg_catalog.now() - $1::interval),
       avg(score) FILTER (WHERE created_at > pg_catalog.now() - $1::interval),
       count(score) FILTER (WHERE created_at <= pg_catalog.now() - $1::interval),
       avg(score) FILTER (WHERE created_at <= pg_catalog.now() - $1::interval)
FROM decant.feedback WHERE created_at > pg_catalog.now() - 2 * $1::interval)sql";

constexpr std::string_view store_probe_sql =
    "INSERT INTO decant.quality_probes (recall, queries, products, coverage, stale, milliseconds) "
    "VALUES ($1::float8, $2::int, $3::bigint, $4::float8, $5::float8, $6::float8) ON CONFLICT DO NOTHING";

constexpr std::string_view probes_sql = R"sql(
SELECT to_char(measured_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
       extract(epoch FROM pg_catalog.now() - measured_at), recall, queries, products, coverage, stale, milliseconds
FROM decant.quality_probes WHERE measured_at <= pg_catalog.now() - $1::interval ORDER BY measured_at DESC
LIMIT $2::bigint)sql";

constexpr std::string_view prune_probes_sql =
    "DELETE FROM decant.quality_probes WHERE measured_at < pg_catalog.now() - pg_catalog.make_interval(days => 400)";

constexpr std::string_view failed_sql = R"sql(
SELECT to_char(e.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), e.kind, coalesce(e.run_id, ''),
       coalesce(e.strategy_used, ''), e.milliseconds - coalesce(e.answer_ms, 0), e.results, e.mean_similarity, f.score,
       coalesce(e.error, ''), coalesce(e.question, ''), e.degraded
FROM decant.search_events e
LEFT JOIN LATERAL (SELECT avg(score) AS score FROM decant.feedback
                   WHERE subject = 'run' AND subject_id = e.run_id
                      OR subject = 'message' AND subject_id = e.message_id) f ON true
WHERE e.kind IN ('search', 'chat') AND e.created_at > pg_catalog.now() - $1::interval
  AND (e.error IS NOT NULL OR e.degraded OR e.results = 0 OR e.milliseconds - coalesce(e.answer_ms, 0) >= $2::float8
       OR e.mean_similarity < $3::float8 OR f.score < $4::float8)
ORDER BY e.created_at DESC LIMIT $5::bigint)sql";

constexpr std::string_view has_traces_sql = "SELECT pg_catalog.to_regclass('decant.trace_runs') IS NOT NULL";
constexpr std::string_view traces_sql =
    "SELECT request_id, min(trace_id::text) FROM decant.trace_runs WHERE request_id = ANY ($1::text[]) GROUP BY 1";

/// The column of figures_sql: half of the range or more is known.
constexpr int is_whole = 7;

std::uint64_t count_at(const pg::Result& rows, int row, int column) {
    return static_cast<std::uint64_t>(rows.integer(row, column));
}

std::optional<double> real_at(const pg::Result& rows, int row, int column) {
    return rows.is_null(row, column) ? std::nullopt : std::optional{rows.real(row, column)};
}

std::optional<std::string> param_of(const std::optional<double>& number) {
    return number ? std::optional{fmt::format("{}", *number)} : std::nullopt;
}

QualityFigures figures_of(const pg::Result& rows, int row) {
    if (!rows.boolean(row, is_whole)) return {};
    return {.searches = count_at(rows, row, 1),
            .error_rate = real_at(rows, row, 2),
            .degraded = real_at(rows, row, 6),
            .without_result = real_at(rows, row, 3),
            .p95_ms = real_at(rows, row, 4),
            .mean_similarity = real_at(rows, row, 5)};
}

QualityProbe probe_of(const pg::Result& rows, int row) {
    return {.measured_at = std::string{rows.text(row, 0)},
            .age_seconds = rows.real(row, 1),
            .recall = real_at(rows, row, 2),
            .queries = count_at(rows, row, 3),
            .products = count_at(rows, row, 4),
            .coverage = rows.real(row, 5),
            .stale = rows.real(row, 6),
            .milliseconds = rows.real(row, 7)};
}

void add_traces(pg::Connection& db, std::vector<FailedSearch>& searches) {
    if (searches.empty() || !db.exec(has_traces_sql).boolean(0, 0)) return;
    std::vector<std::string> ids;
    for (const FailedSearch& search : searches)
        ids.push_back(search.run_id);
    const pg::Result rows = db.query(traces_sql, {pg::array_literal(ids)});
    std::map<std::string, std::string, std::less<>> traces;
    for (int row = 0; row < rows.rows(); ++row)
        traces.emplace(rows.text(row, 0), rows.text(row, 1));
    for (FailedSearch& search : searches)
        if (const auto trace = traces.find(search.run_id); trace != traces.end()) search.trace_id = trace->second;
}

}  // namespace

QualityPair read_quality_figures(pg::Connection& db, MetricsRange range) {
    const std::string span = span_of(range);
    const pg::Result rows = db.query(figures_sql, {span});
    QualityPair pair{.now = figures_of(rows, 0), .before = figures_of(rows, 1)};
    const pg::Result feedback = db.query(feedback_sql, {span});
    pair.now.feedbacks = count_at(feedback, 0, 0);
    pair.now.feedback = real_at(feedback, 0, 1);
    if (!rows.boolean(1, is_whole)) return pair;  // both are kept for as long
    pair.before.feedbacks = count_at(feedback, 0, 2);
    pair.before.feedback = real_at(feedback, 0, 3);
    return pair;
}

void store_probe(pg::Connection& db, const QualityProbe& probe) {
    db.query(store_probe_sql, {param_of(probe.recall), std::to_string(probe.queries), std::to_string(probe.products),
                               param_of(probe.coverage), param_of(probe.stale), param_of(probe.milliseconds)});
}

std::optional<QualityProbe> newest_probe(pg::Connection& db, std::optional<MetricsRange> older_than) {
    const pg::Result rows = db.query(probes_sql, {older_than ? span_of(*older_than) : "0 seconds", "1"});
    return rows.empty() ? std::nullopt : std::optional{probe_of(rows, 0)};
}

std::vector<QualityProbe> read_probes(pg::Connection& db, std::uint64_t limit) {
    const pg::Result rows = db.query(probes_sql, {"0 seconds", std::to_string(limit)});
    std::vector<QualityProbe> probes;
    for (int row = 0; row < rows.rows(); ++row)
        probes.push_back(probe_of(rows, row));
    return probes;
}

std::uint64_t prune_probes(pg::Connection& db) {
    return db.exec(prune_probes_sql).affected();
}

std::vector<FailedSearch> read_failed_searches(pg::Connection& db, const SearchLimits& limits) {
    const pg::Result rows =
        db.query(failed_sql,
                 {span_of(limits.range), fmt::format("{}", limits.most_milliseconds), param_of(limits.least_similarity),
                  fmt::format("{}", limits.least_feedback), std::to_string(limits.limit)});
    std::vector<FailedSearch> failed;
    for (int row = 0; row < rows.rows(); ++row) {
        failed.push_back({.at = std::string{rows.text(row, 0)},
                          .kind = std::string{rows.text(row, 1)},
                          .run_id = std::string{rows.text(row, 2)},
                          .strategy = std::string{rows.text(row, 3)},
                          .milliseconds = rows.real(row, 4),
                          .results = count_at(rows, row, 5),
                          .similarity = real_at(rows, row, 6),
                          .feedback = real_at(rows, row, 7),
                          .degraded = rows.boolean(row, 10),
                          .error = std::string{rows.text(row, 8)},
                          .question = std::string{rows.text(row, 9)}});
    }
    add_traces(db, failed);
    return failed;
}

}  // namespace decant::store
