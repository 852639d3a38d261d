#include <fmt/format.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <array>

#include "core/quantity_text.hpp"
#include "operate/detail/check.hpp"
#include "store/index_builder.hpp"
#include "store/server_check.hpp"

namespace decant::operate::detail {
namespace {

using std::chrono::duration;

// PostgreSQL's own measure of when autovacuum is due, and the guide's of when statistics are old.
constexpr double most_changed = 0.2;
constexpr std::int64_t most_changed_rows = 50;
constexpr std::int64_t most_dead_rows = 1'000;
constexpr double days_of_statistics = 7;
constexpr double seconds_a_day = 86'400;

constexpr std::string_view autovacuum_sql = R"sql(
SELECT pg_catalog.current_setting('autovacuum')::bool,
       coalesce((SELECT option_value::bool FROM pg_catalog.pg_options_to_table(reloptions)
                 WHERE option_name = 'autovacuum_enabled'), true)
FROM pg_catalog.pg_class WHERE oid = pg_catalog.to_regclass('products'))sql";

constexpr std::string_view rows_sql = R"sql(
SELECT greatest(s.n_live_tup, c.reltuples::bigint, 0), coalesce(s.n_dead_tup, 0), coalesce(s.n_mod_since_analyze, 0),
       extract(epoch FROM greatest(s.last_analyze, s.last_autoanalyze)),
       EXISTS (SELECT FROM pg_catalog.pg_stats t WHERE t.schemaname = n.nspname AND t.tablename = c.relname),
       EXISTS (SELECT FROM products)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_stat_all_tables s ON s.relid = c.oid
WHERE c.oid = pg_catalog.to_regclass('products'))sql";

constexpr std::string_view memory_sql =
    "SELECT pg_catalog.pg_size_bytes(pg_catalog.current_setting('shared_buffers')), "
    "pg_catalog.pg_size_bytes(pg_catalog.current_setting('maintenance_work_mem')), "
    "pg_catalog.current_setting('max_parallel_maintenance_workers')::int";

Finding look_autovacuum(Examination& patient) {
    patient.catalog();
    pg::Connection& db = patient.db();
    const pg::Result row = db.exec(autovacuum_sql);
    if (!row.boolean(0, 0)) {
        return failure("autovacuum is off on this server", store::psql_call(db, "ALTER SYSTEM SET autovacuum = on;") +
                                                               ", and the same with SELECT "
                                                               "pg_reload_conf();");
    }
    if (row.boolean(0, 1)) return ok("It is on");
    const std::string sql = "ALTER TABLE products RESET (autovacuum_enabled);";
    return failure("autovacuum is off for products", store::psql_call(db, sql),
                   statement(patient, true, "switch it on again", sql));
}

Finding look_dead_rows(Examination& patient) {
    patient.catalog();
    pg::Connection& db = patient.db();
    const pg::Result row = db.exec(rows_sql);
    const std::int64_t live = row.integer(0, 0);
    const std::int64_t dead = row.integer(0, 1);
    const std::string told = fmt::format("{} dead rows beside {} living ones", dead, live);
    if (dead <= most_dead_rows || static_cast<double>(dead) <= most_changed * static_cast<double>(live))
        return ok(told);
    const std::string sql = "VACUUM (ANALYZE) products;";
    return warning(told, store::psql_call(db, sql), statement(patient, true, "vacuum products", sql));
}

Finding look_statistics(Examination& patient) {
    patient.catalog();
    pg::Connection& db = patient.db();
    const pg::Result row = db.exec(rows_sql);
    const std::int64_t changed = row.integer(0, 2);
    std::string told;
    if (!row.boolean(0, 4) && row.boolean(0, 5)) {
        told = "The planner has no statistics of products";
    } else if (changed > most_changed_rows &&
               static_cast<double>(changed) > most_changed * static_cast<double>(row.integer(0, 0))) {
        told = fmt::format("{} rows changed since the planner's statistics of products were made", changed);
    } else if (changed > 0 && !row.is_null(0, 3)) {
        const double now = duration<double>(patient.request().now().time_since_epoch()).count();
        const double days = (now - row.real(0, 3)) / seconds_a_day;
        if (days > days_of_statistics)
            told = fmt::format("The planner's statistics of products are {:.0f} days old, and {} rows changed since",
                               days, changed);
    }
    if (told.empty()) return ok("The planner's statistics are of the rows as they are");
    return warning(told, store::psql_call(db, "ANALYZE products;"),
                   statement(patient, true, "analyse products", "ANALYZE products"));
}

/// Of the HNSW index at its next build.
std::uint64_t graph_of(Examination& patient) {
    const VectorFacts& facts = patient.vectors();
    return store::graph_bytes({.dimension = facts.dimension, .rows = facts.rows});
}

Finding look_shared_buffers(Examination& patient) {
    std::uint64_t largest = 0;
    for (const store::EmbeddingIndex& index : patient.storage().indexes)
        largest = std::max(largest, index.bytes);
    pg::Connection& db = patient.db();
    const auto buffers = static_cast<std::uint64_t>(db.exec(memory_sql).integer(0, 0));
    const std::string told =
        fmt::format("The index takes {}, shared_buffers are {}", bytes_text(largest), bytes_text(buffers));
    if (largest <= buffers) return ok(told);
    return warning(
        "High memory usage: " + told,
        fmt::format("{}, then restart the server; or a smaller index: CREATE INDEX ... ((embedding::halfvec({}))"
                    " halfvec_cosine_ops)",
                    store::psql_call(
                        db, fmt::format("ALTER SYSTEM SET shared_buffers = '{}MB';", largest * 4 / 3 / 1'000'000 + 1)),
                    patient.vectors().dimension));
}

Finding look_maintenance(Examination& patient) {
    const std::uint64_t graph = graph_of(patient);
    pg::Connection& db = patient.db();
    const auto memory = static_cast<std::uint64_t>(db.exec(memory_sql).integer(0, 1));
    const std::string told =
        fmt::format("A build of the index holds {}, maintenance_work_mem is {}", bytes_text(graph), bytes_text(memory));
    if (graph <= memory) return ok(told);
    const std::string sql = fmt::format("ALTER DATABASE {} SET maintenance_work_mem = '{}MB';",
                                        db.quote_identifier(db.database()), graph / (1U << 20U) + 1);
    return warning(told, store::psql_call(db, sql), statement(patient, false, "raise it for this database", sql));
}

Finding look_shared_memory(Examination& patient) {
    pg::Connection& db = patient.db();
    if (!db.is_local()) return skipped("The server is on another machine", "Look there: df -h /dev/shm");
    const std::string& folder = patient.request().shared_memory;
    struct statvfs volume{};
    if (statvfs(folder.c_str(), &volume) != 0) return skipped(fmt::format("There is no {}", folder));
    const std::uint64_t graph = graph_of(patient);
    const std::uint64_t free = static_cast<std::uint64_t>(volume.f_bavail) * volume.f_frsize;
    const std::string told = fmt::format("{} has {} free, a parallel build of the index shares {} through it", folder,
                                         bytes_text(free), bytes_text(graph));
    if (free >= graph) return ok(told);
    if (db.exec(memory_sql).integer(0, 2) == 0) return ok(told + ", and max_parallel_maintenance_workers is 0");
    const std::string sql =
        fmt::format("ALTER DATABASE {} SET max_parallel_maintenance_workers = 0;", db.quote_identifier(db.database()));
    return warning(told,
                   fmt::format("mount -o remount,size={}M {} (docker run --shm-size), or without workers: {}",
                               graph / (1U << 20U) + 64, folder, store::psql_call(db, sql)),
                   statement(patient, false, "have indexes of this database built without workers", sql));
}

constexpr std::array upkeep{
    Check{"upkeep.autovacuum", "Without it dead rows stay, and the planner's statistics grow old.", look_autovacuum},
    Check{"upkeep.dead_rows", "Table and index grow, and searches read past the dead.", look_dead_rows},
    Check{"upkeep.statistics", "By them the planner chooses between the index and comparing all.", look_statistics},
};

constexpr std::array memory{
    Check{"memory.shared_buffers", "An index that does not fit is read from disk, again and again.",
          look_shared_buffers},
    Check{"memory.maintenance",
          "Past it, a build by hand (REINDEX, CREATE INDEX) takes many times as long; decant's "
          "own builds take what they need.",
          look_maintenance},
    Check{"memory.shared", "Where it is too small a parallel build fails: could not resize shared memory segment.",
          look_shared_memory},
};

}  // namespace

std::span<const Check> upkeep_checks() noexcept {
    return upkeep;
}

std::span<const Check> memory_checks() noexcept {
    return memory;
}

}  // namespace decant::operate::detail
