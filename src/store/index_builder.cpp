#include "store/index_builder.hpp"

#include <fmt/format.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <optional>
#include <thread>

namespace decant::store {
namespace {

constexpr std::uint64_t kib = 1024;
// Below 32 MiB a worker PostgreSQL starts fewer workers (plan_create_index_workers).
constexpr std::uint64_t kib_a_worker = 32 * kib;

constexpr std::uint64_t rows_worth_a_worker = 5'000;

constexpr std::string_view server_limits_sql =
    "SELECT pg_catalog.pg_size_bytes(pg_catalog.current_setting('maintenance_work_mem')), "
    "pg_catalog.pg_size_bytes(pg_catalog.current_setting('shared_buffers')), "
    "pg_catalog.current_setting('max_parallel_workers')::int, "
    "pg_catalog.current_setting('max_parallel_maintenance_workers')::int, "
    "pg_catalog.current_setting('max_worker_processes')::int";

constexpr std::string_view progress_sql =
    "SELECT phase, greatest(blocks_done, tuples_done), "
    "CASE WHEN tuples_total > 0 THEN tuples_total ELSE blocks_total END "
    "FROM pg_catalog.pg_stat_progress_create_index WHERE pid = $1::int";

std::uint64_t available_memory_bytes() {
    std::ifstream info{"/proc/meminfo"};
    std::string word;
    while (info >> word) {
        std::uint64_t value = 0;
        if (word == "MemAvailable:" && info >> value) return value * kib;
    }
    // A service may be kept from /proc/meminfo (systemd's ProcSubset=pid). This is less: without caches.
    struct sysinfo memory{};
    return ::sysinfo(&memory) == 0 ? std::uint64_t{memory.freeram} * memory.mem_unit : 0;
}

std::uint64_t free_shared_memory_bytes() {
    struct statvfs volume{};
    if (statvfs("/dev/shm", &volume) != 0) return 0;
    return static_cast<std::uint64_t>(volume.f_bavail) * volume.f_frsize;
}

std::size_t element_bytes(pg::VectorType type) noexcept {
    return type == pg::VectorType::vector ? 4 : 2;
}

}  // namespace

std::uint64_t graph_bytes(const IndexPlan& plan) noexcept {
    const std::uint64_t an_element = element_bytes(plan.type) * plan.dimension + 640;
    return plan.rows * an_element / 10 * 11 + (16UL << 20U);
}

BuildResources size_build(pg::Connection& db, const IndexPlan& plan) {
    const pg::Result limits = db.exec(server_limits_sql);
    const auto now_bytes = static_cast<std::uint64_t>(limits.integer(0, 0));
    const auto shared_buffers = static_cast<std::uint64_t>(limits.integer(0, 1));
    const auto workers = static_cast<std::uint32_t>(std::min(limits.integer(0, 2), limits.integer(0, 4)));
    BuildResources resources;
    // The leader builds too. On another machine the operator's own limit is the best that is known of its cores.
    resources.parallel_workers = std::min(workers, db.is_local() ? std::max(1U, std::thread::hardware_concurrency() - 1)
                                                                 : static_cast<std::uint32_t>(limits.integer(0, 3)));
    if (plan.rows < rows_worth_a_worker) resources.parallel_workers = 0;
    const std::uint64_t cap =
        db.is_local() ? std::max(now_bytes, available_memory_bytes() / 2) : std::max(now_bytes, shared_buffers);
    const std::uint64_t wanted = std::max(graph_bytes(plan), (resources.parallel_workers + 1) * kib_a_worker * kib);
    std::uint64_t given = std::max(now_bytes, std::min(wanted, cap));
    // Parallel builders share the graph through /dev/shm; a small one (containers: 64 MiB) would fail the build.
    if (db.is_local() && resources.parallel_workers > 0 && free_shared_memory_bytes() < given + (64UL << 20U)) {
        resources.parallel_workers = 0;
    }
    resources.holds_graph = given >= graph_bytes(plan);
    resources.maintenance_work_mem_kib = given / kib;
    return resources;
}

std::uint64_t ivfflat_lists(std::uint64_t rows) noexcept {
    if (rows > 1'000'000) return static_cast<std::uint64_t>(std::sqrt(static_cast<double>(rows)));
    return std::max<std::uint64_t>(1, rows / 1'000);
}

std::string create_index_sql(pg::Connection& db, const Pgvector& pgvector, const IndexPlan& plan) {
    const std::string options =
        plan.kind == IndexKind::ivfflat ? fmt::format(" WITH (lists = {})", ivfflat_lists(plan.rows)) : "";
    const std::string column = db.quote_identifier(plan.column);
    const std::string indexed =
        plan.casts ? fmt::format("({}::{}({}))", column, pgvector.type(plan.type), plan.dimension) : column;
    return fmt::format("CREATE INDEX {}{} ON {}.{} USING {} ({} {}){}", plan.concurrently ? "CONCURRENTLY " : "",
                       db.quote_identifier(plan.name), db.quote_identifier(plan.schema),
                       db.quote_identifier(plan.table), name_of(plan.kind), indexed,
                       pgvector.operator_class(plan.type, plan.space), options);
}

void build_index(const IndexBuild& build, const std::string& sql, const BuildProgress& on_progress) {
    // A concurrent build cannot stand in a transaction: its settings are the session's and are taken back.
    const bool is_concurrent = sql.starts_with("CREATE INDEX CONCURRENTLY");
    std::optional<pg::Transaction> tx;
    if (!is_concurrent) tx.emplace(build.db);
    const std::string_view scope = is_concurrent ? "SESSION" : "LOCAL";
    // client_connection_check_interval: a killed decant must not leave a build running that the next run waits for.
    const pg::Result set = build.db.exec(
        fmt::format("SET {0} maintenance_work_mem = {1}; SET {0} max_parallel_maintenance_workers = {2}; "
                    "SET {0} min_parallel_table_scan_size = '64kB'; SET {0} client_connection_check_interval = '1s'; "
                    "SET {0} statement_timeout = 0; SET {0} lock_timeout = '60s'",
                    scope, build.resources.maintenance_work_mem_kib, build.resources.parallel_workers));
    // Behind PgBouncer the pid that libpq knows is not the server's.
    const std::string server_pid{build.db.exec("SELECT pg_catalog.pg_backend_pid()").text(0, 0)};
    const pg::Result built = build.db.exec_watched(sql, std::chrono::milliseconds{250}, [&] {
        const pg::Result row = build.watcher.query(progress_sql, {server_pid});
        if (row.empty()) return on_progress("", 0, 0);
        return on_progress(std::string{row.text(0, 0)}, static_cast<std::uint64_t>(row.integer(0, 1)),
                           static_cast<std::uint64_t>(row.integer(0, 2)));
    });
    if (tx) tx->commit();
    if (is_concurrent) {
        build.db.exec(
            "RESET maintenance_work_mem; RESET max_parallel_maintenance_workers; RESET min_parallel_table_scan_size; "
            "RESET client_connection_check_interval; RESET statement_timeout; RESET lock_timeout");
    }
}

}  // namespace decant::store
