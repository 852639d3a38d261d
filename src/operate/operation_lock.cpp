#include "operate/operation_lock.hpp"

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/utf8.hpp"

namespace decant::operate {
namespace {

constexpr std::string_view lock_sql =
    "SELECT pg_catalog.pg_try_advisory_xact_lock(pg_catalog.hashtextextended('decant operate', 0))";

// Names of applications are shown to every role, other columns are not.
constexpr std::string_view holder_sql = R"sql(
SELECT a.application_name, pg_catalog.to_char(a.xact_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')
FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a USING (pid)
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 AND a.datname = pg_catalog.current_database()
  AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
  AND (l.classid::bigint << 32 | l.objid::bigint) = pg_catalog.hashtextextended('decant operate', 0)
LIMIT 1)sql";

constexpr std::string_view unknown_operation = "another exclusive operation";

Error held_by_other(pg::Connection& db, std::string_view operation) {
    const std::string holder = running_operation(db).value_or(std::string{unknown_operation});
    return {ErrorCode::busy,
            fmt::format("{} runs on database '{}', and {} may not run beside it", holder, db.database(), operation),
            "Wait until it ends, or stop it, then run the same command again: this one changed nothing."};
}

}  // namespace

std::optional<std::string> running_operation(pg::Connection& db) {
    const pg::Result found = db.exec(holder_sql);
    if (found.empty()) return std::nullopt;
    std::string holder{unknown_operation};
    if (found.text(0, 0).starts_with("decant ")) holder = fmt::format("`{}`", printable(found.text(0, 0)));
    if (!found.is_null(0, 1)) holder += fmt::format(", begun {} UTC,", found.text(0, 1));
    return holder;
}

OperationLock::OperationLock(const std::string& conninfo, std::string_view operation) : lock_(conninfo, lock_sql) {
    if (!lock_.is_held()) throw held_by_other(lock_.db(), operation);
    lock_.db().exec(
        fmt::format("SET LOCAL application_name = {}", lock_.db().quote_literal(fmt::format("decant {}", operation))));
}

}  // namespace decant::operate
