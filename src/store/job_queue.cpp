#include "store/job_queue.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>

#include "core/enum_names.hpp"
#include "core/error.hpp"

namespace decant::store {
namespace {

// $1 in all of these: the time, the server's own where it is NULL.
constexpr std::string_view claim_sql = R"sql(
WITH clock AS MATERIALIZED (SELECT coalesce($1::timestamptz, pg_catalog.clock_timestamp()) AS t),
     lease AS MATERIALIZED (SELECT pg_catalog.nextval('decant.embedding_leases') AS token),
     first_due AS MATERIALIZED (
         SELECT batch_id FROM decant.embedding_jobs, clock
         WHERE (not_before IS NULL OR not_before <= t) AND (leased_until IS NULL OR leased_until <= t)
           AND ($4::bigint IS NULL OR batch_id = $4)
         ORDER BY id LIMIT $2::bigint),
     due AS MATERIALIZED (
         SELECT id FROM decant.embedding_jobs, clock
         WHERE (not_before IS NULL OR not_before <= t) AND (leased_until IS NULL OR leased_until <= t)
           AND ($4::bigint IS NULL OR batch_id = $4)
         ORDER BY id
         LIMIT least($2::bigint, (SELECT min(b.batch_size) FROM first_due f JOIN decant.embedding_batches b ON b.id = f.batch_id))
         FOR UPDATE OF embedding_jobs SKIP LOCKED),
     taken AS (
         UPDATE decant.embedding_jobs j SET lease = lease.token, leased_until = t + $3::interval
         FROM due, lease, clock WHERE j.id = due.id
         RETURNING j.id, j.product_id, j.attempts, j.demand, j.batch_id, j.lease),
     begun AS (
         UPDATE decant.embedding_batches SET started_at = t FROM clock
         WHERE started_at IS NULL AND id IN (SELECT batch_id FROM taken))
SELECT id, product_id, attempts, demand, batch_id, lease FROM taken ORDER BY id)sql";

constexpr std::string_view is_there_sql =
    "SELECT pg_catalog.to_regclass('decant.embedding_jobs') IS NOT NULL, EXISTS (SELECT FROM pg_catalog.pg_attribute "
    "WHERE attrelid = pg_catalog.to_regclass('decant.embedding_batches') AND attname = 'finished_at' "
    "AND NOT attisdropped)";

constexpr std::string_view renew_sql =
    "UPDATE decant.embedding_jobs SET leased_until = coalesce($1::timestamptz, pg_catalog.clock_timestamp()) + "
    "$3::interval WHERE lease = $2";

constexpr std::string_view release_sql =
    "UPDATE decant.embedding_jobs SET lease = NULL, leased_until = NULL WHERE lease = $1";

constexpr std::string_view hold_sql =
    "SELECT id FROM decant.embedding_jobs WHERE lease = $1 AND id = ANY ($2::bigint[]) ORDER BY id FOR UPDATE";

constexpr std::string_view remove_sql = R"sql(
WITH done AS (DELETE FROM decant.embedding_jobs WHERE id = ANY ($1::bigint[]) RETURNING product_id)
DELETE FROM decant.embedding_dead_letters d USING done WHERE d.product_id = done.product_id)sql";

constexpr std::string_view put_back_sql =
    "UPDATE decant.embedding_jobs SET lease = NULL, leased_until = NULL, not_before = "
    "coalesce($1::timestamptz, pg_catalog.clock_timestamp()) + $3::interval WHERE id = ANY ($2::bigint[])";

constexpr std::string_view delay_sql = R"sql(
UPDATE decant.embedding_jobs SET lease = NULL, leased_until = NULL, attempts = $3::int, last_error = $4,
       not_before = coalesce($1::timestamptz, pg_catalog.clock_timestamp()) + $5::interval
WHERE id = $2)sql";

constexpr std::string_view bury_sql = R"sql(
WITH gone AS (DELETE FROM decant.embedding_jobs WHERE id = $2 RETURNING product_id)
INSERT INTO decant.embedding_dead_letters AS d (product_id, attempts, error, failed_at)
SELECT product_id, $3::int, $4, coalesce($1::timestamptz, pg_catalog.clock_timestamp()) FROM gone
ON CONFLICT (product_id) DO UPDATE
SET attempts = excluded.attempts, error = excluded.error, failed_at = excluded.failed_at)sql";

constexpr std::string_view count_sql =
    "UPDATE decant.embedding_batches SET updated = updated + $2::bigint, skipped = skipped + $3::bigint, "
    "errors = errors + $4::bigint, "
    "finished_at = CASE WHEN updated + skipped + errors + $2::bigint + $3::bigint + $4::bigint >= total "
    "THEN coalesce($5::timestamptz, pg_catalog.clock_timestamp()) END WHERE id = $1";

constexpr std::string_view may_drop_sql =
    "SELECT count(*) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
    "WHERE n.nspname = 'decant' AND c.relname = 'embedding_jobs' AND pg_catalog.has_schema_privilege(n.oid, 'USAGE') "
    "AND pg_catalog.has_table_privilege(c.oid, 'SELECT, DELETE') "
    "AND EXISTS (SELECT FROM pg_catalog.pg_attribute WHERE attname = 'finished_at' AND NOT attisdropped "
    "AND attrelid = pg_catalog.to_regclass('decant.embedding_batches'))";

// Who marks a product and puts its job into the queue does both in one transaction: this statement sees both or none.
constexpr std::string_view drop_fresh_sql = R"sql(
WITH gone AS (
         DELETE FROM decant.embedding_jobs j
         WHERE demand = 'stale'
           AND (leased_until IS NULL OR leased_until <= coalesce($1::timestamptz, pg_catalog.clock_timestamp()))
           AND NOT EXISTS (SELECT FROM products p WHERE p.id = j.product_id AND p.active
                             AND (p.embedding IS NULL OR p.last_embedding_update IS NULL
                                  OR p.embedding_model IS DISTINCT FROM $2))
         RETURNING batch_id),
     counted AS (
         UPDATE decant.embedding_batches b
         SET skipped = skipped + g.jobs,
             finished_at = CASE WHEN updated + skipped + errors + g.jobs >= total
                                THEN coalesce($1::timestamptz, pg_catalog.clock_timestamp()) END
         FROM (SELECT batch_id, count(*) AS jobs FROM gone GROUP BY batch_id) g WHERE b.id = g.batch_id)
SELECT count(*) FROM gone)sql";

constexpr std::string_view sweep_sql = R"sql(
INSERT INTO decant.embedding_jobs (product_id)
SELECT id FROM products p
WHERE active AND (embedding IS NULL OR last_embedding_update IS NULL)
  AND NOT EXISTS (SELECT FROM decant.embedding_jobs j WHERE j.product_id = p.id)
  AND NOT EXISTS (SELECT FROM decant.embedding_dead_letters d WHERE d.product_id = p.id))sql";

// By Kind. Dead letters are asked for again when they are asked for by name.
constexpr std::array<std::string_view, 4> selection_sql{
    "active AND embedding IS NULL",
    "active AND embedding IS NOT NULL AND (last_embedding_update IS NULL OR embedding_model IS DISTINCT FROM $3)",
    "active",
    "id::text = ANY ($4::text[]) OR sku = ANY ($4::text[])",
};

// One statement, so that it is whole inside and outside of a transaction of the caller's.
constexpr std::string_view enqueue_template = R"sql(
WITH chosen AS MATERIALIZED (
         SELECT id FROM products WHERE ({}) AND coalesce($3, '') IS NOT NULL AND $4::text[] IS NOT NULL),
     batch AS (INSERT INTO decant.embedding_batches (total, batch_size) SELECT count(*), $1::int FROM chosen
               RETURNING id, total),
     put AS (INSERT INTO decant.embedding_jobs (product_id, batch_id, demand)
             SELECT chosen.id, batch.id, $2 FROM chosen, batch)
SELECT id, total, pg_catalog.pg_notify($5, '') FROM batch)sql";

constexpr std::string_view unknown_sql =
    "SELECT pg_catalog.string_agg(pg_catalog.quote_literal(named), ', ') FROM unnest($1::text[]) AS named "
    "WHERE NOT EXISTS (SELECT FROM products WHERE id::text = named OR sku = named)";

constexpr std::string_view batch_sql = R"sql(
WITH clock AS MATERIALIZED (SELECT coalesce($1::timestamptz, pg_catalog.clock_timestamp()) AS t),
     waiting AS MATERIALIZED (SELECT count(*) AS jobs FROM decant.embedding_jobs WHERE batch_id = $2::bigint)
SELECT total, updated, skipped, errors, jobs,
       to_char(started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
       to_char((t + CASE WHEN jobs > 0 THEN (t - started_at) * (jobs::float8 / nullif(total - jobs, 0)) END)
                   AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
FROM decant.embedding_batches, clock, waiting WHERE id = $2::bigint)sql";

// The order keeps the planner to the index: of a queue that is all of one batch it would read the whole for the others.
constexpr std::string_view recent_sql = R"sql(
SELECT id, total, updated, skipped, errors,
       CASE WHEN b.id = (SELECT j.batch_id FROM decant.embedding_jobs j WHERE j.batch_id >= b.id ORDER BY j.batch_id LIMIT 1)
            THEN greatest(total - updated - skipped - errors, 1) ELSE 0 END,
       to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
       to_char(started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
       to_char(finished_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
FROM decant.embedding_batches b ORDER BY id DESC LIMIT $1::bigint)sql";

// At the rate of the newest batch that is long enough to tell, else at 20 products a second.
constexpr std::string_view wait_sql = R"sql(
SELECT ceil((SELECT count(*) FROM decant.embedding_jobs) / coalesce(
    (SELECT total / greatest(extract(epoch FROM finished_at - started_at), 0.1) FROM decant.embedding_batches
     WHERE finished_at IS NOT NULL AND updated >= 20 ORDER BY id DESC LIMIT 1), 20))::bigint)sql";

constexpr std::string_view counts_sql = R"sql(
WITH clock AS MATERIALIZED (SELECT coalesce($1::timestamptz, pg_catalog.clock_timestamp()) AS t)
SELECT count(*) FILTER (WHERE leased_until IS NULL OR leased_until <= t) - count(*) FILTER (WHERE not_before > t),
       count(*) FILTER (WHERE not_before > t), count(*) FILTER (WHERE leased_until > t),
       (SELECT count(*) FROM decant.embedding_dead_letters)
FROM decant.embedding_jobs, clock)sql";

// Names are asked for of the few that are shown alone.
constexpr std::string_view dead_sql = R"sql(
SELECT d.product_id, coalesce(p.name, ''), d.attempts, d.error,
       to_char(d.failed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')
FROM (SELECT * FROM decant.embedding_dead_letters ORDER BY failed_at DESC, product_id LIMIT $1::bigint) d
LEFT JOIN products p ON p.id = d.product_id
ORDER BY d.failed_at DESC, d.product_id)sql";

constexpr std::string_view retry_sql = R"sql(
WITH again AS (DELETE FROM decant.embedding_dead_letters
               WHERE $1::text[] = '{}' OR product_id::text = ANY ($1::text[])
                  OR product_id IN (SELECT id FROM products WHERE sku = ANY ($1::text[])) RETURNING product_id)
INSERT INTO decant.embedding_jobs (product_id) SELECT product_id FROM again)sql";

constexpr EnumNames<Demand, 3> demand_names{{"stale", "text", "all"}};

std::string interval(std::chrono::milliseconds span) {
    return fmt::format("{} milliseconds", span.count());
}

std::string number_array(const std::vector<std::int64_t>& numbers) {
    return fmt::format("{{{}}}", fmt::join(numbers, ","));
}

}  // namespace

JobBatch::State JobBatch::state() const noexcept {
    if (waiting > 0) return started_at ? State::running : State::pending;
    return total == 0 || updated + skipped > 0 ? State::completed : State::failed;
}

void JobQueue::require() {
    const pg::Result has = db_.exec(is_there_sql);
    if (has.boolean(0, 0) && has.boolean(0, 1)) return;
    throw Error{ErrorCode::not_found,
                fmt::format("There is no queue of products to embed in database '{}'{}", db_.database(),
                            has.boolean(0, 0) ? ", but one of an older decant" : ""),
                "Run schema migration: `decant schema up`."};
}

Lease JobQueue::claim(std::size_t limit, std::optional<std::int64_t> batch) {
    const pg::Result rows = db_.query(claim_sql, {now(), std::to_string(limit), interval(lease_time),
                                                  batch ? pg::Param{std::to_string(*batch)} : std::nullopt});
    Lease lease;
    for (int row = 0; row < rows.rows(); ++row) {
        Job job{.id = rows.integer(row, 0),
                .product_id = std::string{rows.text(row, 1)},
                .attempts = static_cast<int>(rows.integer(row, 2)),
                .demand = demand_names.find(rows.text(row, 3)).value_or(Demand::stale)};
        if (!rows.is_null(row, 4)) job.batch = rows.integer(row, 4);
        lease.token = rows.integer(row, 5);
        lease.jobs.push_back(std::move(job));
    }
    return lease;
}

bool JobQueue::renew(std::int64_t token) {
    return db_.query(renew_sql, {now(), std::to_string(token), interval(lease_time)}).affected() > 0;
}

void JobQueue::release(std::int64_t token) {
    db_.query(release_sql, {std::to_string(token)});
}

std::vector<std::int64_t> JobQueue::hold(std::int64_t token, const std::vector<std::int64_t>& jobs) {
    const pg::Result rows = db_.query(hold_sql, {std::to_string(token), number_array(jobs)});
    std::vector<std::int64_t> held;
    for (int row = 0; row < rows.rows(); ++row)
        held.push_back(rows.integer(row, 0));
    return held;
}

void JobQueue::remove(const std::vector<std::int64_t>& jobs) {
    db_.query(remove_sql, {number_array(jobs)});
}

void JobQueue::put_back(const std::vector<std::int64_t>& jobs, std::chrono::milliseconds pause) {
    db_.query(put_back_sql, {now(), number_array(jobs), interval(pause)});
}

bool JobQueue::fail(const JobFailure& failure) {
    const int attempts = failure.job.attempts + 1;
    const std::string id = std::to_string(failure.job.id);
    if (attempts >= failure.most_attempts) {
        db_.query(bury_sql, {now(), id, std::to_string(attempts), failure.reason});
        return true;
    }
    db_.query(delay_sql, {now(), id, std::to_string(attempts), failure.reason, interval(failure.pause)});
    return false;
}

void JobQueue::count(std::int64_t batch, const JobBatch& delta) {
    db_.query(count_sql, {std::to_string(batch), std::to_string(delta.updated), std::to_string(delta.skipped),
                          std::to_string(delta.errors), now()});
}

std::uint64_t JobQueue::drop_fresh(const std::string& model) {
    if (db_.exec(may_drop_sql).integer(0, 0) == 0) return 0;
    return static_cast<std::uint64_t>(db_.query(drop_fresh_sql, {now(), model}).integer(0, 0));
}

std::uint64_t JobQueue::sweep() {
    return db_.exec(sweep_sql).affected();
}

JobBatch JobQueue::enqueue(const ProductSelection& selection) {
    const std::string ids = pg::array_literal(selection.ids);
    if (selection.kind == ProductSelection::Kind::ids) {
        if (const auto unknown = db_.query(unknown_sql, {ids}).optional_text(0, 0)) {
            throw Error{ErrorCode::not_found,
                        fmt::format("No product in database '{}' has the id or sku {}", db_.database(), *unknown),
                        "See them with `decant products list`."};
        }
    }
    const std::string_view chosen = selection_sql[static_cast<std::size_t>(selection.kind)];
    const pg::Result row =
        db_.query(fmt::format(enqueue_template, chosen),
                  {selection.batch_size ? pg::Param{std::to_string(*selection.batch_size)} : std::nullopt,
                   std::string{demand_names[selection.demand]}, selection.model, ids, channel});
    const auto total = static_cast<std::uint64_t>(row.integer(0, 1));
    return {.id = row.integer(0, 0), .total = total, .waiting = total};
}

std::optional<JobBatch> JobQueue::find_batch(std::int64_t id) {
    const pg::Result row = db_.query(batch_sql, {now(), std::to_string(id)});
    if (row.empty()) return std::nullopt;
    const auto number = [&](int column) { return static_cast<std::uint64_t>(row.integer(0, column)); };
    return JobBatch{.id = id,
                    .total = number(0),
                    .updated = number(1),
                    .skipped = number(2),
                    .errors = number(3),
                    .waiting = number(4),
                    .started_at = row.optional_text(0, 5),
                    .estimated_completion = row.optional_text(0, 6)};
}

std::vector<JobBatch> JobQueue::recent_batches(std::uint64_t limit) {
    const pg::Result rows = db_.query(recent_sql, {std::to_string(limit)});
    std::vector<JobBatch> batches;
    for (int row = 0; row < rows.rows(); ++row) {
        const auto number = [&](int column) { return static_cast<std::uint64_t>(rows.integer(row, column)); };
        batches.push_back({.id = rows.integer(row, 0),
                           .total = number(1),
                           .updated = number(2),
                           .skipped = number(3),
                           .errors = number(4),
                           .waiting = number(5),
                           .created_at = std::string{rows.text(row, 6)},
                           .started_at = rows.optional_text(row, 7),
                           .finished_at = rows.optional_text(row, 8)});
    }
    return batches;
}

std::chrono::seconds JobQueue::estimate_wait() {
    return std::chrono::seconds{db_.exec(wait_sql).integer(0, 0)};
}

QueueCounts JobQueue::counts() {
    const pg::Result row = db_.query(counts_sql, {now()});
    const auto number = [&](int column) { return static_cast<std::uint64_t>(row.integer(0, column)); };
    return {.ready = number(0), .delayed = number(1), .leased = number(2), .dead = number(3)};
}

std::vector<DeadLetter> JobQueue::dead_letters(std::uint64_t limit) {
    const pg::Result rows = db_.query(dead_sql, {std::to_string(limit)});
    std::vector<DeadLetter> letters;
    for (int row = 0; row < rows.rows(); ++row) {
        letters.push_back({.product_id = std::string{rows.text(row, 0)},
                           .name = std::string{rows.text(row, 1)},
                           .attempts = static_cast<int>(rows.integer(row, 2)),
                           .error = std::string{rows.text(row, 3)},
                           .failed_at = std::string{rows.text(row, 4)}});
    }
    return letters;
}

std::uint64_t JobQueue::retry(const std::vector<std::string>& products) {
    const std::uint64_t queued = db_.query(retry_sql, {pg::array_literal(products)}).affected();
    if (queued > 0) db_.exec(fmt::format("NOTIFY {}", channel));
    return queued;
}

std::uint64_t JobQueue::purge(bool waiting) {
    std::uint64_t removed = db_.exec("DELETE FROM decant.embedding_dead_letters").affected();
    if (waiting) {
        removed += db_.query(
                          "DELETE FROM decant.embedding_jobs WHERE leased_until IS NULL OR leased_until <= "
                          "coalesce($1::timestamptz, pg_catalog.clock_timestamp())",
                          {now()})
                       .affected();
    }
    return removed;
}

}  // namespace decant::store
