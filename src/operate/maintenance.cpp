#include "operate/maintenance.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "core/elapsed.hpp"
#include "core/error.hpp"
#include "core/interrupt.hpp"
#include "core/quantity_text.hpp"
#include "pg/cancel_on_stop.hpp"
#include "quality/monitor.hpp"
#include "store/catalog_state.hpp"
#include "store/column_model.hpp"
#include "store/embedding_indexes.hpp"
#include "store/embedding_statistics.hpp"
#include "store/quality_figures.hpp"

namespace decant::operate {
namespace {

using store::EmbeddingIndex;

// Autovacuum begins at a fifth, and analyzes at a tenth; on a quiet night it is worth beginning sooner.
constexpr std::uint64_t least_dead_rows = 1'000;
constexpr std::uint64_t least_changed_rows = 500;
constexpr std::uint64_t least_analyzed_rows = 50;
constexpr double dead_share = 0.1;
constexpr double changed_share = 0.05;
constexpr double most_days_between_analyzes = 7;

constexpr double bloated_times = 2;
constexpr std::uint64_t least_bloated_bytes = 16ULL << 20U;

constexpr std::string_view tables_sql = R"sql(
SELECT format('%I.%I', s.schemaname, s.relname), s.n_live_tup, s.n_dead_tup, s.n_mod_since_analyze,
       extract(epoch FROM pg_catalog.now() - greatest(s.last_analyze, s.last_autoanalyze)) / 86400
FROM pg_catalog.pg_stat_user_tables s JOIN pg_catalog.pg_class c ON c.oid = s.relid
WHERE pg_catalog.pg_has_role(c.relowner, 'USAGE')
  AND (s.schemaname = 'decant' OR s.relid IN (pg_catalog.to_regclass('products'), pg_catalog.to_regclass('categories'),
                                               pg_catalog.to_regclass('brands')))
ORDER BY s.schemaname = 'decant', s.relname)sql";

constexpr std::string_view estimate_sql =
    "SELECT greatest(reltuples, 0)::bigint FROM pg_catalog.pg_class WHERE oid = $1::pg_catalog.regclass";

constexpr std::string_view owns_view_sql =
    "SELECT pg_catalog.pg_has_role(relowner, 'USAGE') FROM pg_catalog.pg_class "
    "WHERE oid = pg_catalog.to_regclass('product_embedding_stats')";

bool is_over(std::uint64_t part, std::uint64_t least, double share, std::uint64_t all) {
    return part >= least && static_cast<double>(part) >= share * static_cast<double>(std::max<std::uint64_t>(all, 1));
}

void plan_tables(pg::Connection& db, std::vector<UpkeepTask>& tasks) {
    const pg::Result rows = db.exec(tables_sql);
    std::vector<UpkeepTask> analyzes;
    for (int row = 0; row < rows.rows(); ++row) {
        const std::string table{rows.text(row, 0)};
        const auto live = static_cast<std::uint64_t>(rows.integer(row, 1));
        const auto dead = static_cast<std::uint64_t>(rows.integer(row, 2));
        const auto changed = static_cast<std::uint64_t>(rows.integer(row, 3));
        if (is_over(dead, least_dead_rows, dead_share, live)) {
            tasks.push_back({.kind = Upkeep::vacuum,
                             .object = table,
                             .reason = fmt::format("{} dead rows beside {}", grouped(dead), grouped(live))});
        }
        std::string reason;
        if (is_over(changed, least_changed_rows, changed_share, live))
            reason = fmt::format("{} rows changed since the last time", grouped(changed));
        else if (live >= least_analyzed_rows && rows.is_null(row, 4))
            reason = "it never was";
        else if (changed > 0 && !rows.is_null(row, 4) && rows.real(row, 4) > most_days_between_analyzes)
            reason = fmt::format("{:.0f} days since the last time", rows.real(row, 4));
        if (!reason.empty()) analyzes.push_back({.kind = Upkeep::analyze, .object = table, .reason = reason});
    }
    std::ranges::move(analyzes, std::back_inserter(tasks));
}

/// Of the catalog's vectors, which may have gone to another model since the settings were read.
std::string model_of(pg::Connection& db, const MaintenanceSetup& setup) {
    const auto column = store::read_column_model(db);
    return column ? column->name : setup.model;
}

void plan_view(pg::Connection& db, const MaintenanceSetup& setup, std::vector<UpkeepTask>& tasks) {
    const pg::Result owned = db.exec(owns_view_sql);
    if (owned.empty() || !owned.boolean(0, 0)) return;
    const std::optional<store::StatisticsView> view = store::read_statistics_view(db);
    const store::EmbeddingStatistics now = store::read_embedding_statistics(db, model_of(db, setup));
    if (!view) return;
    const bool is_right = view->products == now.products && view->with_embedding == now.with_embedding &&
                          view->stale == now.stale && view->newest == now.last_update;
    if (is_right) return;
    tasks.push_back({.kind = Upkeep::refresh,
                     .object = "product_embedding_stats",
                     .reason = fmt::format("it says {} of {} embedded, {} stale; there are {} of {}, {} stale",
                                           grouped(view->with_embedding), grouped(view->products), grouped(view->stale),
                                           grouped(now.with_embedding), grouped(now.products), grouped(now.stale))});
}

/// Why it is to be built anew; empty: it is good.
std::string fault_of(pg::Connection& db, const MaintenanceSetup& setup, const EmbeddingIndex& index,
                     const store::CatalogState& state) {
    const std::optional<store::QualityProbe> probe = store::newest_probe(db);
    if (probe && probe->recall && *probe->recall < setup.least_recall) {
        return fmt::format("it found {:.3f} of the true nearest, at {}; the target is {}", *probe->recall,
                           probe->measured_at, setup.least_recall);
    }
    const auto rows = static_cast<std::uint64_t>(db.exec("SELECT count(embedding) FROM products").integer(0, 0));
    const std::uint64_t expected = expected_index_bytes(*index.searched(), rows, state.dimension.value_or(0));
    const bool is_bloated = index.bytes > least_bloated_bytes &&
                            static_cast<double>(index.bytes) > bloated_times * static_cast<double>(expected);
    return is_bloated ? fmt::format("it has {}, and its {} rows need {}", bytes_text(index.bytes), grouped(rows),
                                    bytes_text(expected))
                      : "";
}

void plan_index(pg::Connection& db, const MaintenanceSetup& setup, std::vector<UpkeepTask>& tasks) {
    const store::CatalogState state = store::read_catalog_state(db);
    if (!state.may_alter || !state.has_embedding()) return;
    const store::EmbeddingStorage storage = store::read_embedding_storage(db);
    if (!storage.builds.empty()) return;  // one that is under way is not valid yet
    const EmbeddingIndex* used = nullptr;
    for (const EmbeddingIndex& index : storage.indexes) {
        if (!index.is_valid) {
            tasks.push_back({.kind = Upkeep::drop_invalid,
                             .object = index.name,
                             .reason = "an interrupted build left it: no search may use it, writes keep it"});
        } else if (used == nullptr && index.searched()) {
            used = &index;
        }
    }
    if (used == nullptr) {
        tasks.push_back({.kind = Upkeep::reindex,
                         .object = "products.embedding",
                         .reason = "there is no valid index: every search compares all rows"});
    } else if (const std::string fault = fault_of(db, setup, *used, state); !fault.empty()) {
        tasks.push_back({.kind = Upkeep::reindex, .object = used->name, .reason = fault});
    }
}

std::string reindex(pg::Connection& db, const MaintenanceSetup& setup, const OperationLock& lock) {
    const ReindexReport report = renew_index(
        db, {.conninfo = setup.conninfo, .least_recall = setup.least_recall, .stop = setup.stop}, model_of(db, setup),
        lock, {.progress = [](const std::string&, std::uint64_t, std::uint64_t) { return true; }, .note = setup.note});
    return fmt::format("recall {:.3f}, {}, searches waited {:.0f} ms", report.recall, bytes_text(report.bytes),
                       report.pause_milliseconds);
}

class Run {
public:
    Run(const MaintenanceSetup& setup, const OperationLock& lock)
        : setup_(setup), lock_(lock), db_(pg::Connection::open(setup.conninfo)), cancel_(db_, setup.stop) {}

    std::vector<UpkeepTask> all() {
        const std::optional<UpkeepTask> failed_probe = probe();
        std::vector<UpkeepTask> tasks = plan_maintenance(db_, setup_);
        if (failed_probe) tasks.insert(tasks.begin(), *failed_probe);
        for (UpkeepTask& task : tasks) {
            if (!may_go_on()) break;
            if (task.state == UpkeepState::failed) continue;
            const auto start = std::chrono::steady_clock::now();
            try {
                task.outcome = perform(task);
                task.state = UpkeepState::done;
            } catch (const Error& error) {
                if (!may_go_on()) break;
                task.outcome = error.happened();
                task.state = UpkeepState::failed;
            }
            task.seconds = milliseconds_since(start) / 1'000;
        }
        return tasks;
    }

private:
    bool may_go_on() const { return !interrupted() && !setup_.stop.stop_requested(); }

    /// None where it went well.
    std::optional<UpkeepTask> probe() {
        const auto start = std::chrono::steady_clock::now();
        try {
            quality::probe_if_due(db_, {.model = model_of(db_, setup_), .may_go_on = [this] { return may_go_on(); }});
            return std::nullopt;
        } catch (const Error& error) {
            if (!may_go_on()) throw;
            return UpkeepTask{.kind = Upkeep::probe,
                              .object = "products.embedding",
                              .reason = "the last one is over an hour old",
                              .state = UpkeepState::failed,
                              .outcome = error.happened(),
                              .seconds = milliseconds_since(start) / 1'000};
        }
    }

    std::string perform(const UpkeepTask& task) {
        switch (task.kind) {
            case Upkeep::probe:
                return "";
            case Upkeep::drop_invalid:
                drop_invalid_indexes(db_);
                return "";
            case Upkeep::prune: {
                const auto kept = std::ranges::find(setup_.retained, task.object, &store::Retained::name);
                return fmt::format("{} removed", grouped(kept->prune(db_)));
            }
            case Upkeep::vacuum:  // object is quoted by the server
                db_.exec("VACUUM " + task.object);
                return "";
            case Upkeep::analyze:
                db_.exec("ANALYZE " + task.object);
                return "";
            case Upkeep::refresh:
                store::refresh_statistics_view(db_, model_of(db_, setup_));
                return "";
            case Upkeep::reindex:
                return reindex(db_, setup_, lock_);
        }
        return "";
    }

    const MaintenanceSetup& setup_;
    const OperationLock& lock_;
    pg::Connection db_;
    pg::CancelOnStop cancel_;
};

}  // namespace

std::vector<UpkeepTask> plan_maintenance(pg::Connection& db, const MaintenanceSetup& setup) {
    if (auto problem = store::embedding_problem(db, store::read_catalog_state(db))) throw std::move(*problem);
    std::vector<UpkeepTask> tasks;
    plan_index(db, setup, tasks);
    for (const store::Retained& kept : setup.retained)
        tasks.push_back({.kind = Upkeep::prune, .object = kept.name, .reason = "what is past its time"});
    plan_tables(db, tasks);
    plan_view(db, setup, tasks);
    std::ranges::stable_sort(tasks, {}, &UpkeepTask::kind);
    return tasks;
}

std::vector<UpkeepTask> run_maintenance(const MaintenanceSetup& setup, const OperationLock& lock) {
    return Run{setup, lock}.all();
}

json::array json_of(const std::vector<UpkeepTask>& tasks) {
    json::array out;
    for (const UpkeepTask& task : tasks) {
        out.push_back(json::object{{"task", upkeep_names[task.kind]},
                                   {"object", task.object},
                                   {"reason", task.reason},
                                   {"state", upkeep_state_names[task.state]},
                                   {"outcome", task.outcome},
                                   {"seconds", task.seconds}});
    }
    return out;
}

std::vector<AnalyzedTable> analyze_tables(pg::Connection& db) {
    if (const store::CatalogState state = store::read_catalog_state(db); !state.may_alter) {
        throw Error{ErrorCode::permission_denied,
                    fmt::format("Role '{}' may not analyze {}.products, which belongs to another role", db.user(),
                                state.schema),
                    "Run it as the owner of products."};
    }
    std::vector<AnalyzedTable> tables;
    const pg::Result rows = db.exec(tables_sql);
    for (int row = 0; row < rows.rows(); ++row) {
        const auto start = std::chrono::steady_clock::now();
        AnalyzedTable& table = tables.emplace_back(AnalyzedTable{.name = std::string{rows.text(row, 0)}});
        db.exec("ANALYZE " + table.name);
        table.seconds = milliseconds_since(start) / 1'000;
        table.rows = static_cast<std::uint64_t>(db.query(estimate_sql, {table.name}).integer(0, 0));
    }
    return tables;
}

std::uint64_t expected_index_bytes(const store::SearchedIndex& index, std::uint64_t rows, std::uint64_t dimension) {
    constexpr std::uint64_t page = 8'192;
    constexpr std::uint64_t usable = 8'160;
    const std::uint64_t vector = 8 + dimension * (index.type == pg::VectorType::vector ? 4 : 2);
    // An element and its neighbours stand on one page where they fit; ivfflat has no neighbours.
    const bool is_hnsw = index.kind == store::IndexKind::hnsw;
    const std::uint64_t element = vector + (is_hnsw ? 72 : 12);
    const std::uint64_t neighbours = is_hnsw ? 208 : 0;
    if (element + neighbours > usable) return rows * (page + neighbours) + page;
    return rows / (usable / (element + neighbours)) * page + index.lists * page + page;
}

}  // namespace decant::operate
