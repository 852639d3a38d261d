#include "operate/maintenance_runs.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace decant::operate {
namespace {

constexpr std::string_view due_sql = R"sql(
WITH clock AS (SELECT coalesce($1::timestamptz, pg_catalog.now()) AS now)
SELECT to_char(max(slot) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
FROM clock, generate_series(-1, 1) AS day, unnest($3::int[]) AS hour,
     LATERAL (SELECT (date_trunc('day', now AT TIME ZONE $2) + make_interval(days => day, hours => hour))
                     AT TIME ZONE $2 AS slot) AS slots
WHERE slot <= now
HAVING max(slot) > (SELECT coalesce(max(greatest(started_at, due_at)), $4::timestamptz)
                    FROM decant.maintenance_runs))sql";

constexpr std::string_view begin_sql =
    "INSERT INTO decant.maintenance_runs (due_at) VALUES ($1::timestamptz) ON CONFLICT DO NOTHING RETURNING id";
constexpr std::string_view end_sql =
    "UPDATE decant.maintenance_runs SET ended_at = pg_catalog.now(), tasks = $2::jsonb WHERE id = $1::bigint";
constexpr std::string_view prune_sql =
    "DELETE FROM decant.maintenance_runs WHERE started_at < pg_catalog.now() - pg_catalog.make_interval(days => 400)";

}  // namespace

std::optional<std::string> due_maintenance(pg::Connection& db, const MaintenanceHours& hours, const std::string& since,
                                           const std::optional<std::string>& now) {
    const pg::Result row =
        db.query(due_sql, {now, hours.zone, fmt::format("{{{}}}", fmt::join(hours.hours, ",")), since});
    return row.empty() ? std::nullopt : row.optional_text(0, 0);
}

std::optional<std::int64_t> begin_maintenance_run(pg::Connection& db, const std::optional<std::string>& due) {
    const pg::Result row = db.query(begin_sql, {due});
    return row.empty() ? std::nullopt : std::optional{row.integer(0, 0)};
}

void end_maintenance_run(pg::Connection& db, std::int64_t run, const json::array& tasks) {
    db.query(end_sql, {std::to_string(run), json_text(tasks)});
}

void fail_maintenance_run(pg::Connection& db, std::int64_t run, const Error& error) {
    end_maintenance_run(db, run,
                        {json::object{{"task", "plan"},
                                      {"object", db.database()},
                                      {"reason", ""},
                                      {"state", "failed"},
                                      {"outcome", error.happened()},
                                      {"seconds", 0.0}}});
}

std::uint64_t prune_maintenance_runs(pg::Connection& db) {
    return db.exec(prune_sql).affected();
}

}  // namespace decant::operate
