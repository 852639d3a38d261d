#include "migrate/target_lock.hpp"

#include <fmt/format.h>

#include <random>

#include "migrate/run_store.hpp"

namespace decant::migrate {
namespace {

constexpr std::string_view begin_sql =
    "BEGIN; SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL statement_timeout = 0";
// First key: "dcnt". The second is the target's name hashed by the server.
constexpr std::string_view lock_sql =
    "SELECT pg_catalog.pg_try_advisory_xact_lock(1684237940, pg_catalog.hashtext($1))";

std::string random_token() {
    std::random_device device;
    return fmt::format("{:08x}{:08x}{:08x}{:08x}", device(), device(), device(), device());
}

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
    : db_(pg::Connection::open(conninfo)), tx_(db_, begin_sql), token_(random_token()) {
    if (!db_.query(lock_sql, {target.schema + "." + target.table}).boolean(0, 0)) throw held_by_other(db_, target);
    // transaction_timeout exists since PostgreSQL 17. One more statement in any case: up to it the portal of the query
    // above keeps a snapshot, which a concurrent index build would wait for.
    db_.exec(db_.server_version() >= 170000 ? "SET LOCAL transaction_timeout = 0" : "SET LOCAL lock_timeout = 0");
}

}  // namespace decant::migrate
