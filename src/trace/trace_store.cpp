#include "trace/trace_store.hpp"

#include <algorithm>
#include <set>

#include "core/error.hpp"
#include "pg/copy.hpp"
#include "pg/cut_on_stop.hpp"
#include "trace/detail/most_searched_for.hpp"
#include "trace/detail/run_tuples.hpp"

namespace decant::trace {
namespace {

/// What a crash of the server takes with it is a moment's traces.
constexpr std::string_view begin_sql = "BEGIN; SET LOCAL statement_timeout = '10s'; SET LOCAL synchronous_commit = off";

constexpr std::string_view known_sql = "SELECT id FROM decant.trace_runs WHERE id = ANY ($1::uuid[])";

constexpr std::string_view prune_old_sql = R"sql(
DELETE FROM decant.trace_runs WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM decant.trace_runs WHERE started_at < pg_catalog.now() - pg_catalog.make_interval(days => $1::int)
    LIMIT 10000)))sql";

constexpr std::string_view prune_many_sql = R"sql(
DELETE FROM decant.trace_runs WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM decant.trace_runs WHERE started_at <= (
        SELECT max(started_at) FROM (
            SELECT started_at, sum(bytes) OVER (ORDER BY started_at DESC, id) AS bytes_from_here FROM decant.trace_runs) r
        WHERE bytes_from_here > $1::bigint)
    LIMIT 10000)))sql";

}  // namespace

void TraceStore::put(const Runs& runs) {
    pg::Transaction tx{*db_, begin_sql};
    pg::CopyIn rows{*db_, detail::copy_runs_sql};
    rows.write(detail::run_tuples(runs, {setup_.keeps_texts, setup_.sampling_rate}));
    rows.finish();
    tx.commit();
}

/// Without those that are there already: they came before, and it was not known what became of them.
Runs TraceStore::unknown_of(const Runs& runs) {
    std::vector<std::string> ids;
    for (const Run* run : runs)
        ids.push_back(run->id);
    const pg::Result rows = db_->query(known_sql, {pg::array_literal(ids)});
    std::set<std::string, std::less<>> known;
    for (int row = 0; row < rows.rows(); ++row)
        known.emplace(rows.text(row, 0));
    Runs unknown;
    std::ranges::copy_if(runs, std::back_inserter(unknown), [&](const Run* run) { return !known.contains(run->id); });
    return unknown;
}

/// A run that PostgreSQL does not take costs no other: they are tried in halves, until it is found.
void TraceStore::put_once(const Runs& runs, Delivery& delivery) {
    if (runs.empty()) return;
    try {
        put(runs);
    } catch (const Error& error) {
        if (error.code() != ErrorCode::store_rejected) throw;
        const Runs unknown = unknown_of(runs);
        if (unknown.size() < runs.size()) return put_once(unknown, delivery);
        if (runs.size() == 1 || delivery.refused_runs >= detail::most_searched_for) {
            delivery.outcome = Outcome::refused;
            delivery.reason = error.happened();
            delivery.refused_runs += runs.size();
            return;
        }
        const auto middle = runs.begin() + static_cast<std::ptrdiff_t>(runs.size() / 2);
        put_once({runs.begin(), middle}, delivery);
        put_once({middle, runs.end()}, delivery);
    }
}

Delivery TraceStore::deliver(const Runs& runs, const std::stop_token& stop) {
    Delivery delivery;
    try {
        // A login that is refused may be allowed again: no run is at fault.
        if (!db_) db_.emplace(pg::Connection::open(conninfo_));
    } catch (const Error& error) {
        return {.outcome = Outcome::later, .reason = error.happened()};
    }
    try {
        const pg::CutOnStop cut{*db_, stop};
        put_once(runs, delivery);
        return delivery;
    } catch (const Error& error) {
        const bool passes = error.is_retryable() || stop.stop_requested();
        if (passes) db_.reset();
        return {.outcome = passes ? Outcome::later : Outcome::refused,
                .reason = error.happened(),
                .refused_runs = passes ? 0 : runs.size()};
    }
}

std::uint64_t prune_traces(pg::Connection& db, const TraceLimits& limits) {
    const auto prune = [&](std::string_view sql, const std::string& limit) {
        std::uint64_t removed = 0;
        for (std::uint64_t step = 1; step > 0; removed += step)
            step = db.query(sql, {limit}).affected();
        return removed;
    };
    const std::uint64_t old = prune(prune_old_sql, std::to_string(limits.days));
    return old + prune(prune_many_sql, std::to_string(limits.bytes));
}

}  // namespace decant::trace
