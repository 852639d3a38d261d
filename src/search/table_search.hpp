#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "catalog/similarity.hpp"
#include "pg/binary_row.hpp"
#include "pg/connection.hpp"
#include "search/scan_choice.hpp"
#include "search/where.hpp"

namespace decant::search {

/// A table as `decant copy` makes it: id text, document text, metadata jsonb, embedding vector(d) or halfvec(d).
struct CopiedTable {
    std::string shown;   ///< "public.items"
    std::string quoted;  ///< for SQL
    pg::VectorType type = pg::VectorType::vector;
    std::uint32_t dimension = 0;
    catalog::Space space = catalog::Space::l2;
    bool has_index = false;  ///< a valid HNSW index in this space
    std::uint64_t rows = 0;  ///< as the server's statistics have it

    std::string column_type() const;  ///< "vector(384)"
};

/// `recorded` is the space that the run record of the copy has; without one that of the table's HNSW index counts.
/// Throws Error{not_found}: no such table, or no pgvector; Error{store_rejected}: other columns, no way to know the
/// space.
CopiedTable read_copied_table(pg::Connection& db, const std::string& schema, const std::string& table,
                              std::optional<catalog::Space> recorded);

/// What is stored for a row. Throws Error{not_found}.
std::vector<float> stored_vector(pg::Connection& db, const CopiedTable& table, const std::string& id);

struct TableQuery {
    std::span<const float> vector;
    std::vector<Where> filters = {};
    std::uint64_t limit = 10;
    std::uint64_t offset = 0;
    double recall = 0.98;  ///< wanted of the index
    bool explains = false;
};

struct TableRow {
    std::string id;
    double distance = 0;  ///< Chroma's: l2 squared, 1 - cos, 1 - dot product
    std::optional<std::string> document;
    std::optional<std::string> metadata;  ///< JSON
};

struct TableAnswer {
    std::vector<TableRow> rows;  ///< the nearest first
    Scan scan = Scan::exact;
    std::uint64_t passing = 0;  ///< rows that pass the filters, judged by a sample
    std::string plan;           ///< EXPLAIN (ANALYZE); empty unless it was asked for
};

/// As many rows as were asked for, whenever so many pass. Throws Error{dimension_mismatch}.
TableAnswer find_nearest(pg::Connection& db, const CopiedTable& table, const TableQuery& query);

}  // namespace decant::search
