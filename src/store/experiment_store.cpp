#include "store/experiment_store.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.hpp"
#include "core/nearest.hpp"
#include "core/split_list.hpp"
#include "core/utf8.hpp"

namespace decant::store {
namespace {

constexpr std::string_view is_there_sql = "SELECT pg_catalog.to_regclass('decant.experiments') IS NOT NULL";

// Of one name, or all.
constexpr std::string_view select_sql = R"sql(
SELECT name, pg_catalog.array_to_string(arms, ','), pg_catalog.array_to_string(weights, ','), unit, mode, metric,
       to_char(started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
       to_char(stopped_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
       extract(epoch FROM coalesce(stopped_at, pg_catalog.now()) - started_at) / 86400
FROM decant.experiments WHERE ($1::text IS NULL OR name = $1) AND ($2::bool IS FALSE OR stopped_at IS NULL)
ORDER BY decant.experiments.started_at DESC, name)sql";

constexpr std::string_view insert_sql =
    "INSERT INTO decant.experiments (name, arms, weights, unit, mode, metric) "
    "VALUES ($1, $2::text[], $3::int[], $4, $5, $6) ON CONFLICT DO NOTHING";

constexpr std::string_view stop_sql =
    "UPDATE decant.experiments SET stopped_at = pg_catalog.now() WHERE name = $1 AND stopped_at IS NULL";

// Of a million searches, in memory: in the usual 4 MB they would be sorted on the disk.
constexpr std::string_view begin_report_sql =
    "BEGIN READ ONLY; SET LOCAL statement_timeout = '30s'; SET LOCAL work_mem = '64MB'";

constexpr std::string_view traffic_sql =
    "SELECT arm, count(DISTINCT unit), count(*) FROM decant.search_events "
    "WHERE experiment = $1 AND arm IS NOT NULL GROUP BY arm";

// A failed search has no results to count; that it failed is a metric of its own. What was said of a message is of the
// run that answered it.
constexpr std::string_view split_figures_sql = R"sql(
WITH said AS (
    SELECT coalesce(e.run_id, f.subject_id) AS run_id, avg(f.score) AS score,
           (count(f.product_id) > 0)::int::float8 AS chosen
    FROM (SELECT subject, subject_id, created_at, score, NULL AS product_id FROM decant.feedback
          UNION ALL SELECT subject, subject_id, created_at, NULL, product_id FROM decant.choices) f
    LEFT JOIN decant.search_events e
           ON f.subject = 'message' AND e.message_id = f.subject_id AND e.experiment = $1
    WHERE f.created_at >= (SELECT started_at FROM decant.experiments WHERE name = $1) GROUP BY 1),
searches AS (
    SELECT e.arm, e.unit, e.mean_similarity, f.score, coalesce(f.chosen, 0) AS chosen,
           (e.error IS NOT NULL)::int::float8 AS failed,
           CASE WHEN e.error IS NULL THEN e.results::float8 END AS results,
           CASE WHEN e.error IS NULL THEN (e.results = 0)::int::float8 END AS empty,
           CASE WHEN e.error IS NULL THEN e.milliseconds - coalesce(e.answer_ms, 0) END AS ms
    FROM decant.search_events e
    LEFT JOIN said f ON f.run_id = e.run_id
    WHERE e.experiment = $1 AND e.kind <> 'shadow'),
units AS (
    SELECT arm, unit, avg(results) AS results, avg(mean_similarity) AS similarity, avg(ms) AS latency,
           avg(empty) AS empty, avg(failed) AS errors, avg(score) AS feedback, avg(chosen) AS chosen
    FROM searches GROUP BY arm, unit)
SELECT u.arm, m.metric, count(m.value), avg(m.value), coalesce(var_samp(m.value), 0)
FROM units u CROSS JOIN LATERAL (VALUES
    ('results', u.results), ('similarity', u.similarity), ('latency', u.latency), ('empty', u.empty),
    ('errors', u.errors), ('feedback', u.feedback), ('chosen', u.chosen)) AS m (metric, value)
WHERE u.arm IS NOT NULL AND m.value IS NOT NULL GROUP BY u.arm, m.metric)sql";

// A caller may give many requests one id, so the searches of one id are made one before they are compared. A shadow
// finds its question embedded already.
constexpr std::string_view shadow_figures_sql = R"sql(
WITH runs AS (
    SELECT arm, unit, run_id, kind = 'shadow' AS is_shadow, avg(overlap) AS overlap,
           avg((error IS NOT NULL)::int) AS errors, avg(mean_similarity) AS similarity,
           avg(results) FILTER (WHERE error IS NULL) AS results,
           avg((results = 0)::int) FILTER (WHERE error IS NULL) AS empty,
           avg(milliseconds - coalesce(embed_ms, 0)) FILTER (WHERE error IS NULL) AS latency
    FROM decant.search_events WHERE experiment = $1 GROUP BY arm, unit, run_id, kind = 'shadow'),
units AS (
    SELECT s.arm, s.unit, avg(s.results - a.results) AS results, avg(s.similarity - a.similarity) AS similarity,
           avg(s.latency - a.latency) AS latency, avg(s.empty - a.empty) AS empty, avg(s.errors - a.errors) AS errors,
           avg(s.overlap) AS overlap
    FROM runs s JOIN runs a ON a.unit = s.unit AND a.run_id = s.run_id AND NOT a.is_shadow
    WHERE s.is_shadow GROUP BY s.arm, s.unit)
SELECT u.arm, m.metric, count(m.value), avg(m.value), coalesce(var_samp(m.value), 0)
FROM units u CROSS JOIN LATERAL (VALUES
    ('results', u.results::float8), ('similarity', u.similarity), ('latency', u.latency), ('empty', u.empty::float8),
    ('errors', u.errors::float8), ('overlap', u.overlap)) AS m (metric, value)
WHERE m.value IS NOT NULL GROUP BY u.arm, m.metric)sql";

// A product that is chosen twice from the answers to one question, which has one toss, counts once.
constexpr std::string_view choices_sql = R"sql(
SELECT count(*) FILTER (WHERE theirs > ours), count(*) FILTER (WHERE theirs < ours), count(*) FILTER (WHERE theirs = ours)
FROM (SELECT count(DISTINCT (e.teams ->> 'toss', c.product_id))
                 FILTER (WHERE e.teams -> 'arms' -> $2 ? c.product_id) AS ours,
             count(DISTINCT (e.teams ->> 'toss', c.product_id))
                 FILTER (WHERE e.teams -> 'arms' -> $3 ? c.product_id) AS theirs
      FROM decant.search_events e JOIN decant.choices c ON c.subject = 'run' AND c.subject_id = e.run_id
      WHERE e.experiment = $1 AND e.teams IS NOT NULL GROUP BY e.unit) AS unit
WHERE ours + theirs > 0)sql";

std::uint64_t count_at(const pg::Result& rows, int row, int column) {
    return static_cast<std::uint64_t>(rows.integer(row, column));
}

Experiment experiment_of(const pg::Result& rows, int row) {
    Experiment experiment{.name = std::string{rows.text(row, 0)},
                          .arms = {},
                          .unit = unit_names.find(rows.text(row, 3)).value_or(Experiment::Unit::user),
                          .mode = mode_names.find(rows.text(row, 4)).value_or(Experiment::Mode::split),
                          .metric = std::string{rows.text(row, 5)},
                          .started_at = std::string{rows.text(row, 6)},
                          .stopped_at = rows.optional_text(row, 7),
                          .days = rows.real(row, 8)};
    for (const std::string_view strategy : split_list(rows.text(row, 1)))
        experiment.arms.push_back({.strategy = std::string{strategy}});
    std::size_t arm = 0;
    for (const std::string_view weight : split_list(rows.text(row, 2)))
        experiment.arms.at(arm++).weight = std::stoi(std::string{weight});
    return experiment;
}

}  // namespace

bool ExperimentStore::is_there() {
    return db_.exec(is_there_sql).boolean(0, 0);
}

void ExperimentStore::require() {
    if (is_there()) return;
    throw Error{ErrorCode::not_found,
                fmt::format("There is no table decant.experiments in database '{}'", db_.database()),
                "Make it with `decant schema up`."};
}

Experiment ExperimentStore::start(const Experiment& wanted) {
    require();
    std::vector<std::string> arms;
    std::vector<std::string> weights;
    for (const Arm& arm : wanted.arms) {
        arms.push_back(arm.strategy);
        weights.push_back(std::to_string(arm.weight));
    }
    const pg::Result inserted = db_.query(
        insert_sql, {wanted.name, pg::array_literal(arms), pg::array_literal(weights),
                     std::string{unit_names[wanted.unit]}, std::string{mode_names[wanted.mode]}, wanted.metric});
    if (inserted.affected() == 1) return find(wanted.name);
    if (const auto other = running(); other && other->name != wanted.name) {
        throw Error{ErrorCode::conflict,
                    fmt::format("Experiment '{}' runs, and two would disturb each other", other->name),
                    fmt::format("Stop it first: decant ab stop {}", other->name)};
    }
    throw Error{ErrorCode::conflict, fmt::format("There is an experiment '{}' already", printable(wanted.name)),
                "Choose another name, so that what was measured stays apart. See them with `decant ab status`."};
}

std::optional<Experiment> ExperimentStore::running() {
    if (!is_there()) return std::nullopt;
    const pg::Result rows = db_.query(select_sql, {std::nullopt, "true"});
    return rows.empty() ? std::nullopt : std::optional{experiment_of(rows, 0)};
}

std::vector<Experiment> ExperimentStore::list() {
    require();
    const pg::Result rows = db_.query(select_sql, {std::nullopt, "false"});
    std::vector<Experiment> experiments;
    for (int row = 0; row < rows.rows(); ++row)
        experiments.push_back(experiment_of(rows, row));
    return experiments;
}

Experiment ExperimentStore::find(const std::string& name) {
    require();
    const pg::Result rows = db_.query(select_sql, {name, "false"});
    if (!rows.empty()) return experiment_of(rows, 0);
    std::vector<std::string> names;
    for (const Experiment& experiment : list())
        names.push_back(experiment.name);
    const auto meant = nearest(name, names);
    throw Error{ErrorCode::not_found, fmt::format("There is no experiment '{}'", printable(name)),
                meant ? fmt::format("Did you mean '{}'?", *meant) : "See them with `decant ab status`."};
}

Experiment ExperimentStore::stop(const std::string& name) {
    require();
    db_.query(stop_sql, {name});
    return find(name);
}

std::vector<ArmTraffic> ExperimentStore::traffic(const Experiment& experiment) {
    const pg::Transaction report{db_, begin_report_sql};
    const pg::Result rows = db_.query(traffic_sql, {experiment.name});
    std::vector<ArmTraffic> traffic;
    for (int row = 0; row < rows.rows(); ++row) {
        traffic.push_back({.arm = std::string{rows.text(row, 0)},
                           .units = count_at(rows, row, 1),
                           .searches = count_at(rows, row, 2)});
    }
    if (experiment.mode != Experiment::Mode::interleave || traffic.empty()) return traffic;
    std::vector<ArmTraffic> both;
    for (const Arm& arm : experiment.arms)
        both.push_back({.arm = arm.strategy, .units = traffic[0].units, .searches = traffic[0].searches});
    return both;
}

std::vector<ArmFigure> ExperimentStore::figures(const Experiment& experiment) {
    const bool is_shadow = experiment.mode == Experiment::Mode::shadow;
    const pg::Transaction report{db_, begin_report_sql};
    const pg::Result rows = db_.query(is_shadow ? shadow_figures_sql : split_figures_sql, {experiment.name});
    std::vector<ArmFigure> figures;
    for (int row = 0; row < rows.rows(); ++row) {
        figures.push_back({.arm = std::string{rows.text(row, 0)},
                           .metric = std::string{rows.text(row, 1)},
                           .units = count_at(rows, row, 2),
                           .mean = rows.real(row, 3),
                           .variance = rows.real(row, 4)});
    }
    return figures;
}

Choices ExperimentStore::choices(const Experiment& experiment) {
    const std::string& first = experiment.arms.at(0).strategy;
    const std::string& second = experiment.arms.at(1).strategy;
    const pg::Transaction report{db_, begin_report_sql};
    const pg::Result row = db_.query(choices_sql, {experiment.name, first, second});
    return {.arm = second, .wins = count_at(row, 0, 0), .losses = count_at(row, 0, 1), .ties = count_at(row, 0, 2)};
}

}  // namespace decant::store
