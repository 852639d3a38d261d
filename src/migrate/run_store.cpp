#include "migrate/run_store.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <array>

#include "core/error.hpp"
#include "core/sha256.hpp"

namespace decant::migrate {
namespace {

constexpr std::string_view is_prepared_sql = "SELECT pg_catalog.to_regclass('decant.kept') IS NOT NULL";

constexpr std::string_view prepare_sql = R"sql(
CREATE TABLE IF NOT EXISTS decant.runs (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    command text NOT NULL,
    state text NOT NULL DEFAULT 'running',
    phase text NOT NULL DEFAULT 'load',
    table_schema text NOT NULL,
    table_name text NOT NULL,
    load_table text NOT NULL,
    previous_table text NOT NULL DEFAULT '',
    source_path text NOT NULL,
    tenant text NOT NULL,
    database_name text NOT NULL,
    collection text NOT NULL,
    collection_id text NOT NULL,
    fingerprint text NOT NULL,
    space text NOT NULL,
    vector_type text NOT NULL,
    dimension int NOT NULL,
    nul_policy text NOT NULL,
    token text NOT NULL DEFAULT '',
    last_id bytea,
    rows_read bigint NOT NULL DEFAULT 0,
    copied bigint NOT NULL DEFAULT 0,
    updated bigint NOT NULL DEFAULT 0,
    unchanged bigint NOT NULL DEFAULT 0,
    rejected bigint NOT NULL DEFAULT 0,
    kept bigint NOT NULL DEFAULT 0,
    pruned bigint NOT NULL DEFAULT 0,
    bytes bigint NOT NULL DEFAULT 0,
    host text NOT NULL,
    pid bigint NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    root text NOT NULL DEFAULT '',
    changes bigint,
    report jsonb,
    verification jsonb
);
CREATE INDEX IF NOT EXISTS runs_table ON decant.runs (table_schema, table_name, id);
CREATE TABLE IF NOT EXISTS decant.pages (
    run_id bigint NOT NULL REFERENCES decant.runs ON DELETE CASCADE,
    page bigint GENERATED ALWAYS AS IDENTITY,
    rows bigint NOT NULL,
    last_id bytea NOT NULL,
    digest bytea NOT NULL,
    leaves bytea NOT NULL,
    PRIMARY KEY (run_id, page)
);
ALTER TABLE decant.pages ALTER COLUMN leaves SET STORAGE EXTERNAL;
CREATE TABLE IF NOT EXISTS decant.rejects (
    run_id bigint NOT NULL REFERENCES decant.runs ON DELETE CASCADE,
    reject bigint GENERATED ALWAYS AS IDENTITY,
    id bytea NOT NULL,
    reason text NOT NULL,
    line text NOT NULL,
    PRIMARY KEY (run_id, reject)
);
CREATE TABLE IF NOT EXISTS decant.kept (
    run_id bigint NOT NULL REFERENCES decant.runs ON DELETE CASCADE,
    id text COLLATE "C" NOT NULL,
    PRIMARY KEY (run_id, id)
);
)sql";

constexpr std::string_view create_sql =
    "INSERT INTO decant.runs (command, table_schema, table_name, load_table, source_path, tenant, database_name, "
    "collection, collection_id, fingerprint, space, vector_type, dimension, nul_policy, host, pid, previous_table) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) RETURNING id";

constexpr std::string_view take_over_sql =
    "UPDATE decant.runs SET state = 'running', token = $2, host = $3, pid = $4 WHERE id = $1";

#define DECANT_RUN_COLUMNS                                                                                        \
    "id, command, state, phase, table_schema, table_name, load_table, previous_table, source_path, tenant, "      \
    "database_name, collection, collection_id, fingerprint, space, vector_type, dimension, nul_policy, last_id, " \
    "rows_read, copied, updated, unchanged, rejected, kept, pruned, bytes, host, pid, "                           \
    "to_char(started_at, 'YYYY-MM-DD HH24:MI:SS'), to_char(finished_at, 'YYYY-MM-DD HH24:MI:SS'), root, "         \
    "coalesce(report::text, '')"

constexpr std::string_view find_sql = "SELECT " DECANT_RUN_COLUMNS " FROM decant.runs WHERE id = $1";
constexpr std::string_view origin_sql = "SELECT " DECANT_RUN_COLUMNS
                                        " FROM decant.runs WHERE table_schema = $1 AND table_name = $2 "
                                        "AND load_table = table_name AND command = 'copy' "
                                        "AND state NOT IN ('abandoned', 'rolled_back') ORDER BY id DESC LIMIT 1";
constexpr std::string_view unfinished_sql =
    "SELECT " DECANT_RUN_COLUMNS
    " FROM decant.runs WHERE table_schema = $1 AND table_name = $2 AND state IN ('running', 'stopped', 'failed') "
    "AND (load_table <> table_name OR phase = 'swapped') = $3::bool ORDER BY id DESC LIMIT 1";
constexpr std::string_view list_sql = "SELECT " DECANT_RUN_COLUMNS " FROM decant.runs ORDER BY id DESC LIMIT $1";
#undef DECANT_RUN_COLUMNS

constexpr std::string_view held_sql = "SELECT id FROM decant.runs WHERE id = $1 AND token = $2 FOR SHARE";

constexpr std::string_view save_page_sql =
    "WITH run AS (UPDATE decant.runs SET last_id = $3, rows_read = rows_read + $4::bigint, "
    "copied = copied + $5::bigint, updated = updated + $6::bigint, unchanged = unchanged + $7::bigint, "
    "rejected = rejected + $8::bigint, kept = kept + $9::bigint, pruned = pruned + $10::bigint, "
    "bytes = bytes + $11::bigint WHERE id = $1 AND token = $2 RETURNING id) "
    "INSERT INTO decant.pages (run_id, rows, last_id, digest, leaves) SELECT id, $12::bigint, $3, $13, $14 FROM run";

constexpr std::string_view save_reject_sql =
    "INSERT INTO decant.rejects (run_id, id, reason, line) VALUES ($1, $2, $3, $4)";
constexpr std::string_view save_kept_sql =
    "INSERT INTO decant.kept (run_id, id) SELECT $1, pg_catalog.unnest($2::text[]) ON CONFLICT DO NOTHING";

constexpr std::string_view next_leaves_sql =
    "SELECT page, leaves FROM decant.pages WHERE run_id = $1 AND page > $2 AND rows > 0 ORDER BY page LIMIT 16";

// Later runs of a table that was swapped in carry the name of the table before it. A run that was killed between its
// swap and its end has no report; it is abandoned when the source changed before the next one.
#define DECANT_IS_SWAP                                                          \
    "command = 'copy' AND previous_table <> '' AND state <> 'rolled_back' AND " \
    "(phase = 'swapped' OR report->'phases' @> '[{\"name\": \"swap\"}]')"

constexpr std::string_view undo_swap_sql =
    "UPDATE decant.runs SET state = 'rolled_back', finished_at = now() WHERE table_schema = $1 AND table_name = $2 "
    "AND command = 'copy' AND load_table = table_name AND state NOT IN ('abandoned', 'rolled_back') AND id >= "
    "coalesce((SELECT max(id) FROM decant.runs WHERE table_schema = $1 AND table_name = $2 AND id <= $3::bigint "
    "AND " DECANT_IS_SWAP "), $3::bigint)";

// The record of a table that --replace put aside stays too: after a rollback it is the table's own again. So does that
// of the swap, which tells a rollback what it undoes.
constexpr std::string_view prune_sql =
    "WITH swap AS (SELECT table_schema, table_name, max(id) AS id FROM decant.runs WHERE " DECANT_IS_SWAP
    " GROUP BY 1, 2) DELETE FROM decant.runs WHERE id NOT IN (SELECT max(id) FROM decant.runs "
    "WHERE state NOT IN ('abandoned', 'rolled_back') GROUP BY table_schema, table_name, load_table, command) "
    "AND state <> 'running' AND id NOT IN (SELECT id FROM decant.runs ORDER BY id DESC LIMIT $1) "
    "AND id NOT IN (SELECT id FROM swap) AND id NOT IN (SELECT max(p.id) FROM decant.runs p JOIN swap "
    "ON p.table_schema = swap.table_schema AND p.table_name = swap.table_name AND p.id < swap.id "
    "WHERE p.command = 'copy' AND p.load_table = p.table_name AND p.state NOT IN ('abandoned', 'rolled_back') "
    "GROUP BY swap.id)";
#undef DECANT_IS_SWAP

std::string text_of(std::uint64_t value) {
    return std::to_string(value);
}

std::string host_name() {
    std::array<char, 256> name{};
    gethostname(name.data(), name.size() - 1);
    return name.data();
}

Run run_of(const pg::Result& rows, int row) {
    const auto text = [&](int column) { return std::string{rows.text(row, column)}; };
    const auto count = [&](int column) { return static_cast<std::uint64_t>(rows.integer(row, column)); };
    Run run;
    run.id = rows.integer(row, 0);
    run.command = text(1);
    run.state = text(2);
    run.phase = text(3);
    run.schema = text(4);
    run.table = text(5);
    run.load_table = text(6);
    run.previous_table = text(7);
    run.source_path = text(8);
    run.tenant = text(9);
    run.database = text(10);
    run.collection = text(11);
    run.collection_id = text(12);
    run.fingerprint = text(13);
    run.shape = {.dimension = static_cast<std::uint32_t>(rows.integer(row, 16)),
                 .space = catalog::space_names.find(rows.text(row, 14)).value_or(catalog::Space::l2),
                 .type = rows.text(row, 15) == "halfvec" ? pg::VectorType::halfvec : pg::VectorType::vector,
                 .nul = nul_policy_names.find(rows.text(row, 17)).value_or(NulPolicy::reject)};
    if (!rows.is_null(row, 18)) run.last_id = rows.bytes(row, 18);
    run.counts = {count(19), count(20), count(21), count(22), count(23), count(24), count(25), count(26)};
    run.host = text(27);
    run.pid = rows.integer(row, 28);
    run.started_at = text(29);
    run.finished_at = text(30);
    run.root = text(31);
    run.report = text(32);
    return run;
}

Error taken_over(std::int64_t run_id) {
    return {ErrorCode::busy, fmt::format("Run {} was taken over by another process while this one was away", run_id),
            fmt::format("Look at it with `decant runs show {}`; this process has changed nothing since.", run_id)};
}

}  // namespace

Counts& Counts::operator+=(const Counts& other) noexcept {
    read += other.read;
    copied += other.copied;
    updated += other.updated;
    unchanged += other.unchanged;
    rejected += other.rejected;
    kept += other.kept;
    pruned += other.pruned;
    bytes += other.bytes;
    return *this;
}

bool RunStore::is_prepared() {
    return db_.exec(is_prepared_sql).boolean(0, 0);
}

void RunStore::prepare() {
    if (is_prepared()) return;
    pg::Transaction tx{db_};
    // Two first runs at once: IF NOT EXISTS alone still collides in the catalogs.
    db_.exec("SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtext('decant.schema'))");
    // IF NOT EXISTS asks for the right to create schemas even where an administrator has made this one.
    const bool has_schema = db_.exec("SELECT pg_catalog.to_regnamespace('decant') IS NOT NULL").boolean(0, 0);
    if (!has_schema) db_.exec("CREATE SCHEMA decant");
    db_.exec(prepare_sql);
    tx.commit();
}

std::int64_t RunStore::create(const Run& run) {
    return db_
        .query(create_sql,
               {run.command, run.schema, run.table, run.load_table, run.source_path, run.tenant, run.database,
                run.collection, run.collection_id, run.fingerprint, std::string{name_of(run.shape.space)},
                std::string{pg::name_of(run.shape.type)}, text_of(run.shape.dimension),
                std::string{name_of(run.shape.nul)}, host_name(), std::to_string(getpid()), run.previous_table})
        .integer(0, 0);
}

void RunStore::take_over(std::int64_t run_id, const std::string& token) {
    db_.query(take_over_sql, {std::to_string(run_id), token, host_name(), std::to_string(getpid())});
}

std::optional<Run> RunStore::find(std::int64_t run_id) {
    const pg::Result rows = db_.query(find_sql, {std::to_string(run_id)});
    if (rows.empty()) return std::nullopt;
    return run_of(rows, 0);
}

std::optional<Run> RunStore::origin(const std::string& schema, const std::string& table) {
    const pg::Result rows = db_.query(origin_sql, {schema, table});
    if (rows.empty()) return std::nullopt;
    return run_of(rows, 0);
}

std::optional<Run> RunStore::unfinished(const std::string& schema, const std::string& table, bool is_replacement) {
    const pg::Result rows = db_.query(unfinished_sql, {schema, table, is_replacement ? "true" : "false"});
    if (rows.empty()) return std::nullopt;
    return run_of(rows, 0);
}

std::vector<Run> RunStore::list(std::size_t limit) {
    const pg::Result rows = db_.query(list_sql, {text_of(limit)});
    std::vector<Run> runs;
    for (int row = 0; row < rows.rows(); ++row)
        runs.push_back(run_of(rows, row));
    return runs;
}

void RunStore::require_held(std::int64_t run_id, const std::string& token) {
    if (db_.query(held_sql, {std::to_string(run_id), token}).empty()) throw taken_over(run_id);
}

void RunStore::save_page(std::int64_t run_id, const std::string& token, const PageDone& done) {
    const std::string id = std::to_string(run_id);
    const Counts& delta = done.delta;
    const Digest digest = sha256(done.page.leaves);
    const pg::Result saved = db_.query(
        save_page_sql,
        {id, token, pg::bytea(done.page.last_id), text_of(delta.read), text_of(delta.copied), text_of(delta.updated),
         text_of(delta.unchanged), text_of(delta.rejected), text_of(delta.kept), text_of(delta.pruned),
         text_of(delta.bytes), text_of(done.page.rows()),
         pg::bytea({reinterpret_cast<const char*>(digest.data()), digest.size()}), pg::bytea(done.page.leaves)});
    if (saved.affected() == 0) throw taken_over(run_id);
    for (const Reject& reject : done.page.rejects) {
        db_.query(save_reject_sql, {id, pg::bytea(reject.id), reject.reason, reject.line});
    }
    if (!done.kept.empty()) db_.query(save_kept_sql, {id, pg::array_literal(done.kept)});
}

void RunStore::set_counts(std::int64_t run_id, const Counts& counts) {
    db_.query(
        "UPDATE decant.runs SET rows_read = $2, updated = $3, unchanged = $4, rejected = $5, bytes = $6 WHERE id = $1",
        {std::to_string(run_id), text_of(counts.read), text_of(counts.updated), text_of(counts.unchanged),
         text_of(counts.rejected), text_of(counts.bytes)});
}

void RunStore::set_phase(std::int64_t run_id, const std::string& phase) {
    db_.query("UPDATE decant.runs SET phase = $2 WHERE id = $1", {std::to_string(run_id), phase});
}

void RunStore::set_state(std::int64_t run_id, const std::string& state) {
    db_.query("UPDATE decant.runs SET state = $2, finished_at = now() WHERE id = $1 AND state <> 'abandoned'",
              {std::to_string(run_id), state});
}

void RunStore::abandon(std::int64_t run_id) {
    db_.query("UPDATE decant.runs SET state = 'abandoned', token = '', finished_at = now() WHERE id = $1",
              {std::to_string(run_id)});
}

void RunStore::undo_swap(const Run& newest) {
    db_.query(undo_swap_sql, {newest.schema, newest.table, std::to_string(newest.id)});
}

void RunStore::record_swap(std::int64_t run_id, const std::string& previous) {
    db_.query("UPDATE decant.runs SET previous_table = $2, load_table = table_name, phase = 'swapped' WHERE id = $1",
              {std::to_string(run_id), previous});
}

void RunStore::finish(std::int64_t run_id, const RunEnd& end) {
    db_.query(
        "UPDATE decant.runs SET state = $2, phase = 'done', "
        "finished_at = now(), root = $3, report = $4, changes = $5 WHERE id = $1",
        {std::to_string(run_id), end.state, end.root, end.report, std::to_string(end.changes)});
}

void RunStore::save_verification(std::int64_t run_id, const std::string& verification) {
    db_.query("UPDATE decant.runs SET verification = $2 WHERE id = $1", {std::to_string(run_id), verification});
}

std::string RunStore::next_leaves(std::int64_t run_id, std::int64_t& after_page) {
    const pg::Result pages = db_.query(next_leaves_sql, {std::to_string(run_id), std::to_string(after_page)});
    std::string leaves;
    for (int row = 0; row < pages.rows(); ++row) {
        leaves += pages.bytes(row, 1);
        after_page = pages.integer(row, 0);
    }
    return leaves;
}

std::vector<std::string> RunStore::kept_ids(std::int64_t run_id) {
    const pg::Result rows =
        db_.query("SELECT id FROM decant.kept WHERE run_id = $1 ORDER BY id", {std::to_string(run_id)});
    std::vector<std::string> ids;
    for (int row = 0; row < rows.rows(); ++row)
        ids.emplace_back(rows.text(row, 0));
    return ids;
}

std::vector<std::string> RunStore::reject_lines(std::int64_t run_id) {
    const pg::Result rows =
        db_.query("SELECT line FROM decant.rejects WHERE run_id = $1 ORDER BY reject", {std::to_string(run_id)});
    std::vector<std::string> lines;
    for (int row = 0; row < rows.rows(); ++row)
        lines.emplace_back(rows.text(row, 0));
    return lines;
}

std::vector<std::string> RunStore::rejected_ids(std::int64_t run_id) {
    const pg::Result rows =
        db_.query("SELECT id FROM decant.rejects WHERE run_id = $1 ORDER BY id", {std::to_string(run_id)});
    std::vector<std::string> ids;
    for (int row = 0; row < rows.rows(); ++row)
        ids.push_back(rows.bytes(row, 0));
    return ids;
}

std::string RunStore::compute_root(std::int64_t run_id) {
    Sha256 root;
    std::int64_t page = 0;
    for (std::string leaves; !(leaves = next_leaves(run_id, page)).empty();)
        root.update(leaves);
    return hex(root.finish());
}

std::uint64_t RunStore::prune(std::uint64_t keep) {
    return db_.query(prune_sql, {text_of(keep)}).affected();
}

}  // namespace decant::migrate
