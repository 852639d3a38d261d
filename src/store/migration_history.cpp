#include "store/migration_history.hpp"

namespace decant::store {
namespace {

// to_regclass() fails where the schema may not be looked into.
constexpr std::string_view may_read_sql =
    "SELECT count(*) > 0 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
    "WHERE n.nspname = 'decant' AND c.relname = 'runs' AND pg_catalog.has_schema_privilege(n.oid, 'USAGE') "
    "AND pg_catalog.has_table_privilege(c.oid, 'SELECT')";

// `decant verify` writes verification; before it, the report of copy or of migrate has what was found.
constexpr std::string_view history_sql = R"sql(
SELECT id, command, state, table_schema || '.' || table_name, source_path, collection, rows_read, copied + updated,
       unchanged, rejected, to_char(started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
       to_char(finished_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
       coalesce(found->>'equal', report->>'verified')::bool,
       coalesce(found->>'rows', report->>'compared', '0')::bigint,
       coalesce(found->>'difference_count', report->>'differences', '0')::bigint,
       (report #>> '{recall,recall}')::float8
FROM decant.runs, LATERAL (SELECT coalesce(verification, report->'verification') AS found) f
ORDER BY id DESC LIMIT $1::bigint)sql";

MigrationSummary summary_of(const pg::Result& rows, int row) {
    const auto text = [&](int column) { return std::string{rows.text(row, column)}; };
    const auto count = [&](int column) { return static_cast<std::uint64_t>(rows.integer(row, column)); };
    MigrationSummary run{.id = rows.integer(row, 0),
                         .command = text(1),
                         .state = text(2),
                         .table = text(3),
                         .source = text(4),
                         .collection = text(5),
                         .read = count(6),
                         .written = count(7),
                         .unchanged = count(8),
                         .rejected = count(9),
                         .started_at = text(10),
                         .finished_at = rows.optional_text(row, 11),
                         .check = {},
                         .recall = {}};
    if (!rows.is_null(row, 12))
        run.check = {.is_equal = rows.boolean(row, 12), .compared = count(13), .differences = count(14)};
    if (!rows.is_null(row, 15)) run.recall = rows.real(row, 15);
    return run;
}

}  // namespace

std::vector<MigrationSummary> read_migration_history(pg::Connection& db, std::size_t limit) {
    std::vector<MigrationSummary> history;
    if (!db.exec(may_read_sql).boolean(0, 0)) return history;
    const pg::Result rows = db.query(history_sql, {std::to_string(limit)});
    for (int row = 0; row < rows.rows(); ++row)
        history.push_back(summary_of(rows, row));
    return history;
}

}  // namespace decant::store
