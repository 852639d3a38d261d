#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "catalog/similarity.hpp"
#include "pg/connection.hpp"
#include "store/pgvector.hpp"

namespace decant::store {

/// One vector index to build. Names are unquoted.
struct IndexPlan {
    std::string schema;
    std::string table;
    std::string column;
    std::string name;
    IndexKind kind = IndexKind::hnsw;
    catalog::Space space = catalog::Space::cosine;
    pg::VectorType type = pg::VectorType::vector;
    bool casts = false;         ///< the column is of another type, and is indexed as `type`
    bool concurrently = false;  ///< writes to the table go on meanwhile
    std::uint32_t dimension = 0;
    std::uint64_t rows = 0;
};

/// What the build is given, sized from rows x dimension and from what the server's machine has.
struct BuildResources {
    std::uint64_t maintenance_work_mem_kib = 0;
    std::uint32_t parallel_workers = 0;
    bool holds_graph = true;  ///< false: the graph is larger than what may be taken; the build will be slow
};

/// Bytes of an HNSW graph at m = 16: rows x (element bytes x dimension + 640), with a tenth of room.
std::uint64_t graph_bytes(const IndexPlan& plan) noexcept;

BuildResources size_build(pg::Connection& db, const IndexPlan& plan);

/// rows / 1000 up to a million rows, the square root above; at least 1.
std::uint64_t ivfflat_lists(std::uint64_t rows) noexcept;

/// The statement without settings: CREATE INDEX ... USING hnsw ("embedding" "public".vector_cosine_ops).
std::string create_index_sql(pg::Connection& db, const Pgvector& pgvector, const IndexPlan& plan);

/// Told while an index is built: done and total in the unit of the current phase (0 when the server tells none).
using BuildProgress = std::function<bool(const std::string& phase, std::uint64_t done, std::uint64_t total)>;

/// Runs one CREATE INDEX (vector or not) under `resources`; `watcher` is a second connection, which reads
/// pg_stat_progress_create_index. `on_progress` returning false cancels: Error{cancelled}; a build that is not
/// concurrent leaves nothing behind, a concurrent one an invalid index.
struct IndexBuild {
    pg::Connection& db;
    pg::Connection& watcher;
    BuildResources resources;
};
void build_index(const IndexBuild& build, const std::string& sql, const BuildProgress& on_progress);

}  // namespace decant::store
