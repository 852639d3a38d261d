#include "store/sync_store.hpp"

#include <fmt/format.h>

#include <boost/json/parse.hpp>

#include "core/error.hpp"
#include "core/json_members.hpp"

namespace decant::store {
namespace {

// A key of 64 bits stands there as two halves (PostgreSQL manual, pg_locks).
constexpr std::string_view is_running_sql =
    "SELECT EXISTS (SELECT FROM pg_locks, (SELECT hashtextextended('decant sync', 0) AS key) AS sync "
    "WHERE locktype = 'advisory' AND objsubid = 1 AND granted AND classid::bigint = (key >> 32) & 4294967295 AND "
    "objid::bigint = key & 4294967295 AND "
    "database = (SELECT oid FROM pg_database WHERE datname = current_database()))";

constexpr std::string_view begin_sql =
    "INSERT INTO decant.sync_runs (source, origin, scope, token, due_at) VALUES ($1, $2, $3, $4, $5::timestamptz) "
    "ON CONFLICT (source, due_at) DO NOTHING RETURNING id";

constexpr std::string_view run_columns =
    "id, source, origin, scope, state, to_char(started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), "
    "coalesce(to_char(ended_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), ''), cursor, report";

constexpr std::string_view abandon_sql =
    "UPDATE decant.sync_runs SET state = 'abandoned', ended_at = now() WHERE state IN ('running', 'stopped') "
    "AND source = $1 AND (origin <> $2 OR (scope = 'incremental') <> ($3 = 'incremental') OR started_at < now() - "
    "interval '1 day' OR id < "
    "(SELECT max(id) FROM decant.sync_runs WHERE source = $1))";
constexpr std::string_view forget_abandoned_sql =
    "DELETE FROM decant.sync_seen s USING decant.sync_runs r WHERE r.id = s.run AND r.state = 'abandoned'";
constexpr std::string_view take_over_sql =
    "UPDATE decant.sync_runs SET token = $2, scope = $3, state = 'running', ended_at = NULL, is_cancel_asked = false "
    "WHERE id = $1";
constexpr std::string_view since_request_sql =
    "SELECT extract(epoch FROM clock_timestamp() - max(last_request_at)) FROM decant.sync_runs WHERE source = $1";

constexpr std::string_view save_sql =
    "UPDATE decant.sync_runs SET cursor = $3::jsonb, last_request_at = clock_timestamp() WHERE id = $1 AND token = $2 "
    "RETURNING is_cancel_asked";
constexpr std::string_view seen_sql =
    "INSERT INTO decant.sync_seen (run, sku) SELECT $1, unnest($2::text[]) ON CONFLICT DO NOTHING";
constexpr std::string_view items_sql =
    "INSERT INTO decant.sync_items (source, sku, item) "
    "SELECT r.source, g.sku, g.item::jsonb FROM decant.sync_runs r, unnest($2::text[], $3::text[]) AS g (sku, item) "
    "WHERE r.id = $1 ON CONFLICT (source, sku) DO UPDATE SET item = excluded.item, changed_at = now() "
    "WHERE sync_items.item IS DISTINCT FROM excluded.item";
constexpr std::string_view quarantine_sql =
    "INSERT INTO decant.sync_quarantine (run, source, sku, page_offset, reason, item) "
    "SELECT id, source, $2, $3, $4, $5 FROM decant.sync_runs WHERE id = $1";

constexpr std::string_view finish_sql =
    "UPDATE decant.sync_runs SET state = $2, report = $3::jsonb, ended_at = clock_timestamp(), "
    "last_request_at = clock_timestamp() WHERE id = $1 AND token = $4";

/// Whether a product of the source was not seen; {0} the rest of the statement.
constexpr std::string_view vanished_condition =
    "NOT EXISTS (SELECT FROM decant.sync_seen s WHERE s.run = $1 AND s.sku = p.sku)";
constexpr std::string_view count_sql =
    "SELECT count(*), count(*) FILTER (WHERE {}) FROM products p "
    "JOIN decant.sync_items i ON i.source = $2 AND i.sku = p.sku WHERE p.active";
constexpr std::string_view deactivate_sql =
    "UPDATE products p SET active = false, updated_at = now() FROM decant.sync_items i "
    "WHERE i.source = $2 AND i.sku = p.sku AND p.active AND {}";

constexpr std::string_view find_category = "SELECT name, display_name FROM categories WHERE external_id = $1 LIMIT 1";
constexpr std::string_view rename_category =
    "UPDATE categories SET name = CASE WHEN EXISTS (SELECT FROM categories o WHERE o.name = $2 "
    "AND o.external_id IS DISTINCT FROM $1) THEN left($2, 60) || ' (' || $1 || ')' ELSE $2 END, display_name = $2, "
    "updated_at = now() WHERE external_id = $1 RETURNING name";
constexpr std::string_view adopt_category =
    "UPDATE categories SET external_id = $1 WHERE name = $2 AND external_id IS NULL RETURNING name";
constexpr std::string_view make_category =
    "INSERT INTO categories (id, name, display_name, active, sort_order, external_id, created_at, updated_at) "
    "SELECT gen_random_uuid(), CASE WHEN EXISTS (SELECT FROM categories WHERE name = $2) "
    "THEN left($2, 60) || ' (' || $1 || ')' ELSE $2 END, $2, true, 0, $1, now(), now() RETURNING name";

constexpr std::string_view last_complete_sql =
    "SELECT to_char(max(started_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') FROM decant.sync_runs "
    "WHERE source = $1 AND state = 'complete' AND scope <> 'partial' AND ($2 = '' OR scope = $2)";
constexpr std::string_view quarantine_list_sql =
    "SELECT json_build_object('run', run, 'source', source, 'sku', sku, 'page_offset', page_offset, 'reason', reason, "
    "'item', item, 'created_at', created_at) FROM decant.sync_quarantine "
    "WHERE run = coalesce($1::bigint, (SELECT max(id) FROM decant.sync_runs)) ORDER BY id DESC LIMIT $2";
constexpr std::string_view cancel_sql = "UPDATE decant.sync_runs SET is_cancel_asked = true WHERE state = 'running'";
constexpr int kept_runs = 100;
constexpr std::string_view prune_sql =
    "DELETE FROM decant.sync_runs WHERE state <> 'running' AND id NOT IN "
    "(SELECT id FROM decant.sync_runs ORDER BY id DESC LIMIT $1) AND id NOT IN "
    "(SELECT max(id) FROM decant.sync_runs WHERE state = 'complete' GROUP BY source, scope)";

SyncRun run_of(const pg::Result& rows, int row) {
    const auto text = [&](int column) { return std::string{rows.text(row, column)}; };
    return {.id = rows.integer(row, 0),
            .source = text(1),
            .origin = text(2),
            .scope = text(3),
            .state = text(4),
            .started_at = text(5),
            .ended_at = text(6),
            .cursor = json::parse(rows.text(row, 7)).as_object(),
            .report = json::parse(rows.text(row, 8)).as_object()};
}

/// Says which command makes the tables where they are missing.
pg::Result query(pg::Connection& db, std::string_view sql, const std::vector<pg::Param>& params) {
    try {
        return db.query(sql, params);
    } catch (const Error& error) {
        if (error.code() != ErrorCode::not_found) throw;
        throw Error{ErrorCode::not_found, "The tables of the sync are missing: " + error.happened(),
                    "Make them with `decant schema up`."};
    }
}

Error taken_over(std::int64_t run) {
    return {ErrorCode::busy, fmt::format("Another process has taken over run {} of the sync", run),
            "See what it does with `decant sync status`."};
}

}  // namespace

json::object json_of(const SyncRun& run) {
    json::object out{{"run", run.id},
                     {"source", run.source},
                     {"origin", run.origin},
                     {"scope", run.scope},
                     {"state", run.state},
                     {"started_at", run.started_at},
                     {"ended_at", text_or_null(run.ended_at)}};
    const bool has_report = !run.ended_at.empty() && !run.report.empty();
    const json::object& counts = has_report ? run.report : run.cursor;
    for (const std::string_view name : {"read", "created", "updated", "unchanged", "deactivated", "quarantined"}) {
        const json::value* count = counts.if_contains(name);
        out[name] = count == nullptr ? json::value(0) : *count;
    }
    return out;
}

bool SyncStore::is_running() {
    return db_.exec(is_running_sql).boolean(0, 0);
}

std::optional<std::int64_t> SyncStore::begin(const SyncRun& run, const std::string& token,
                                             const std::optional<std::string>& due_at) {
    const pg::Result rows = query(db_, begin_sql, {run.source, run.origin, run.scope, token, due_at});
    return rows.empty() ? std::nullopt : std::optional{rows.integer(0, 0)};
}

std::optional<SyncRun> SyncStore::unfinished(const SyncRun& like) {
    query(db_, abandon_sql, {like.source, like.origin, like.scope});
    query(db_, forget_abandoned_sql, {});
    const pg::Result rows =
        query(db_,
              fmt::format("SELECT {} FROM decant.sync_runs WHERE source = $1 AND state IN ('running', 'stopped')",
                          run_columns),
              {like.source});
    return rows.empty() ? std::nullopt : std::optional{run_of(rows, 0)};
}

void SyncStore::take_over(std::int64_t run, const std::string& token, const std::string& scope) {
    query(db_, take_over_sql, {std::to_string(run), token, scope});
}

std::optional<double> SyncStore::seconds_since_request(const std::string& source) {
    const pg::Result rows = query(db_, since_request_sql, {source});
    return rows.is_null(0, 0) ? std::nullopt : std::optional{rows.real(0, 0)};
}

bool SyncStore::save_page(std::int64_t run, const std::string& token, const SyncedPage& page) {
    const std::string id = std::to_string(run);
    if (!page.items.empty()) {
        std::vector<std::string> skus;
        std::vector<std::string> items;
        for (const auto& [sku, item] : page.items) {
            skus.push_back(sku);
            items.push_back(item);
        }
        query(db_, items_sql, {id, pg::array_literal(skus), pg::array_literal(items)});
    }
    for (const Quarantined& item : page.quarantined)
        query(db_, quarantine_sql, {id, item.sku, std::to_string(item.page_offset), item.reason, item.item});
    const pg::Result saved = query(db_, save_sql, {id, token, json_text(page.cursor)});
    if (saved.empty()) throw taken_over(run);
    return saved.boolean(0, 0);
}

std::uint64_t SyncStore::add_seen(std::int64_t run, const std::vector<std::string>& seen) {
    if (seen.empty()) return 0;
    return seen.size() - query(db_, seen_sql, {std::to_string(run), pg::array_literal(seen)}).affected();
}

void SyncStore::forget_quarantined(std::int64_t run) {
    query(db_, "DELETE FROM decant.sync_quarantine WHERE run = $1::bigint", {std::to_string(run)});
}

void SyncStore::forget_seen(std::int64_t run) {
    query(db_, "DELETE FROM decant.sync_seen WHERE run = $1", {std::to_string(run)});
}

void SyncStore::finish(std::int64_t run, const std::string& token, const std::string& state,
                       const json::object& report) {
    pg::Transaction transaction{db_};
    const auto finished = query(db_, finish_sql, {std::to_string(run), state, json_text(report), token}).affected();
    if (finished == 0) throw taken_over(run);
    if (state != "stopped") forget_seen(run);
    transaction.commit();
}

SyncStore::Vanishing SyncStore::count_vanished(std::int64_t run, const std::string& source) {
    const pg::Result rows = query(db_, fmt::format(count_sql, vanished_condition), {std::to_string(run), source});
    return {.known = static_cast<std::uint64_t>(rows.integer(0, 0)),
            .vanished = static_cast<std::uint64_t>(rows.integer(0, 1))};
}

std::uint64_t SyncStore::deactivate_vanished(std::int64_t run, const std::string& source) {
    return query(db_, fmt::format(deactivate_sql, vanished_condition), {std::to_string(run), source}).affected();
}

std::string SyncStore::category_name(const std::string& external_id, const std::string& name, bool is_dry_run) {
    const pg::Result found = query(db_, find_category, {external_id});
    if (!found.empty() && (is_dry_run || found.text(0, 1) == name)) return std::string{found.text(0, 0)};
    if (is_dry_run) return name;
    if (!found.empty()) return std::string{query(db_, rename_category, {external_id, name}).text(0, 0)};
    const pg::Result adopted = query(db_, adopt_category, {external_id, name});
    if (!adopted.empty()) return std::string{adopted.text(0, 0)};
    return std::string{query(db_, make_category, {external_id, name}).text(0, 0)};
}

std::optional<std::string> SyncStore::last_complete(const std::string& source, const std::string& scope) {
    return query(db_, last_complete_sql, {source, scope}).optional_text(0, 0);
}

std::vector<SyncRun> SyncStore::runs_if_any(std::size_t limit) {
    const bool is_there = db_.exec("SELECT to_regclass('decant.sync_runs') IS NOT NULL").boolean(0, 0);
    return is_there ? runs(limit) : std::vector<SyncRun>{};
}

std::vector<SyncRun> SyncStore::runs(std::size_t limit) {
    const bool was_free = !is_running();
    const pg::Result rows =
        query(db_, fmt::format("SELECT {} FROM decant.sync_runs ORDER BY id DESC LIMIT $1", run_columns),
              {std::to_string(limit)});
    std::vector<SyncRun> runs;
    for (int row = 0; row < rows.rows(); ++row)
        runs.push_back(run_of(rows, row));
    // Asked before and after: one may have ended, another begun, in between.
    if (!was_free || is_running()) return runs;
    for (SyncRun& run : runs)
        if (run.state == "running") run.state = "interrupted";
    return runs;
}

json::array SyncStore::quarantine(std::optional<std::int64_t> run, std::size_t limit) {
    const pg::Result rows = query(db_, quarantine_list_sql,
                                  {run ? std::optional{std::to_string(*run)} : std::nullopt, std::to_string(limit)});
    json::array items;
    for (int row = 0; row < rows.rows(); ++row)
        items.push_back(json::parse(rows.text(row, 0)));
    return items;
}

bool SyncStore::ask_cancel() {
    // The row of a process that was killed says "running" too.
    return is_running() && query(db_, cancel_sql, {}).affected() > 0;
}

void SyncStore::prune() {
    query(db_, prune_sql, {std::to_string(kept_runs)});
}

}  // namespace decant::store
