#include <fmt/format.h>

#include "core/failpoint.hpp"
#include "migrate/detail/copy_job.hpp"

namespace decant::migrate::detail {
namespace {

constexpr std::string_view index_state_sql =
    "SELECT ic.relname, i.indisvalid FROM pg_catalog.pg_index i "
    "JOIN pg_catalog.pg_class ic ON ic.oid = i.indexrelid JOIN pg_catalog.pg_am am ON am.oid = ic.relam "
    "JOIN pg_catalog.pg_class c ON c.oid = i.indrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
    "JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0] "
    "WHERE n.nspname = $1 AND c.relname = $2 AND am.amname = $3 AND a.attname = $4 ORDER BY i.indisvalid";

}  // namespace

std::string CopyJob::index_name(const std::string& suffix) {
    std::string name = derived_name(run_.load_table, suffix);
    // A table that was renamed by hand keeps its indexes under their old names.
    for (int n = 1; table_exists(*db_, {target_.schema, name}); ++n)
        name = derived_name(run_.load_table, fmt::format("{}{}", suffix, n));
    return name;
}

bool CopyJob::has_valid_index(const std::string& method, const std::string& column) {
    const pg::Result found = db_->query(index_state_sql, {target_.schema, run_.load_table, method, column});
    bool has_valid = false;
    for (int row = 0; row < found.rows(); ++row) {
        if (found.boolean(row, 1)) {
            has_valid = true;
            continue;
        }
        // What a killed CREATE INDEX CONCURRENTLY leaves behind: written to by every change, used by no query.
        const std::string name{found.text(row, 0)};
        db_->exec(fmt::format("DROP INDEX {}.{}", db_->quote_identifier(target_.schema), db_->quote_identifier(name)));
        observer_.note(fmt::format("Dropped index {}: it was left invalid by an interrupted build", name));
    }
    return has_valid;
}

void CopyJob::build_one_index(const std::string& name, const std::string& sql) {
    timed(name, 0, [&] {
        store::build_index(
            {*db_, scanner(), report_.resources}, sql,
            [&](const std::string&, std::uint64_t done, std::uint64_t) { return observer_.progress(done, 0); });
    });
    report_.index_sql.push_back(sql);
    failpoint("copy.index_built");
}

void CopyJob::build_indexes() {
    const bool has_gin = has_valid_index("gin", "metadata");
    const std::string method{name_of(request_.index)};
    const bool has_vector_index = request_.index == store::IndexKind::none || has_valid_index(method, "embedding");
    if (!has_vector_index || (!has_gin && request_.index != store::IndexKind::none)) {
        const store::IndexPlan plan{.schema = target_.schema,
                                    .table = run_.load_table,
                                    .column = "embedding",
                                    .name = index_name("_embedding_" + method),
                                    .kind = request_.index,
                                    .space = report_.shape.space,
                                    .type = report_.shape.type,
                                    .dimension = report_.shape.dimension,
                                    .rows = count_rows(*db_, load_table())};
        report_.resources = store::size_build(*db_, plan);
        if (!report_.resources.holds_graph) {
            report_.warnings.push_back(fmt::format(
                "the index's graph takes about {} MiB, {} MiB could be given: the build is slower than it could be",
                store::graph_bytes(plan) >> 20U, report_.resources.maintenance_work_mem_kib >> 10U));
        }
        if (!has_vector_index) build_one_index("index", create_index_sql(*db_, *pgvector_, plan));
        if (!has_gin) {
            build_one_index("metadata index",
                            fmt::format("CREATE INDEX {} ON {} USING gin (metadata)",
                                        db_->quote_identifier(index_name("_metadata_gin")), load_table().quoted(*db_)));
        }
    }
    // A bare load is left to autovacuum, like any COPY.
    const bool has_built = !report_.index_sql.empty();
    if (request_.index != store::IndexKind::none && (run_.phase == "index" || has_built))
        timed("analyze", 0, [&] { db_->exec("ANALYZE " + load_table().quoted(*db_)); });
    if (run_.phase != "index") return;
    RunStore{*db_}.set_phase(run_.id, run_.phase = "verify");
    failpoint("copy.indexed");
}

}  // namespace decant::migrate::detail
