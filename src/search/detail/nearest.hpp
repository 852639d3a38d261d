#pragma once

#include <vector>

#include "core/error.hpp"
#include "search/hit.hpp"
#include "store/pgvector.hpp"

/// What the search of the catalog and that of its sharded copy have in common.
namespace decant::search {

/// Throws Error{not_found}.
inline store::Pgvector require_pgvector(pg::Connection& db) {
    auto pgvector = store::find_pgvector(db);
    if (!pgvector) throw Error{ErrorCode::not_found, "pgvector extension not installed", "Run `decant schema up`."};
    return *pgvector;
}

/// Of rows of hit_columns and the similarity; no hit is a row of nulls.
inline std::vector<Hit> read_nearest(const pg::Result& rows) {
    std::vector<Hit> hits;
    for (int row = 0; row < rows.rows() && !rows.is_null(row, 0); ++row) {
        Hit& hit = hits.emplace_back(read_hit(rows, row));
        hit.similarity = hit.score = rows.real(row, hit_column_count);
    }
    return hits;
}

}  // namespace decant::search
