#include "migrate/target_lock.hpp"

#include <fmt/format.h>

#include "migrate/run_store.hpp"

namespace decant::migrate {
namespace {

// First key: "dcnt". The second is the target's name hashed by the server.
constexpr std::string_view lock_sql =
    "SELECT pg_catalog.pg_try_advisory_xact_lock(1684237940, pg_catalog.hashtext($1))";

Error held_by_other(pg::Connection& db, const TableName& target) {
    std::string holder = "another process";
    RunStore runs{db};
    if (runs.is_prepared()) {
        for (const Run& run : runs.list(20)) {
            if (run.schema != target.schema || run.table != target.table || run.state != "running") continue;
            holder = fmt::format("run {} of pid {} on {}, begun {}", run.id, run.pid, run.host, run.started_at);
            break;
        }
    }
    return {ErrorCode::busy, fmt::format("Table {} is being written by {}", target.shown(), holder),
            "Wait until it ends, or stop it; nothing was changed by this one."};
}

}  // namespace

TargetLock::TargetLock(const std::string& conninfo, const TableName& target)
    : lock_(conninfo, lock_sql, {target.schema + "." + target.table}) {
    if (!lock_.is_held()) throw held_by_other(lock_.db(), target);
}

}  // namespace decant::migrate
