#include "store/embedding_indexes.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.hpp"

namespace decant::store {
namespace {

constexpr std::string_view size_sql =
    "SELECT pg_catalog.pg_table_size(c.oid), pg_catalog.pg_indexes_size(c.oid) FROM pg_catalog.pg_class c "
    "WHERE c.oid = pg_catalog.to_regclass('products')";

// An index on an expression names no column; what it depends on does.
constexpr std::string_view indexes_sql = R"sql(
SELECT c.relname, m.amname, o.opcname, pg_catalog.pg_relation_size(c.oid), i.indisvalid, i.indisready,
       i.indpred IS NOT NULL, coalesce((SELECT option_value::bigint FROM pg_catalog.pg_options_to_table(c.reloptions)
                                        WHERE option_name = 'lists'), 100), pg_catalog.pg_get_indexdef(c.oid)
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
JOIN pg_catalog.pg_am m ON m.oid = c.relam
JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attname = $1 AND NOT a.attisdropped
JOIN pg_catalog.pg_opclass o ON o.oid = i.indclass[0]
WHERE i.indrelid = pg_catalog.to_regclass('products')
  AND (i.indkey[0] = a.attnum OR i.indkey[0] = 0 AND EXISTS (
          SELECT FROM pg_catalog.pg_depend d
          WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = i.indexrelid
            AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = i.indrelid
            AND d.refobjsubid = a.attnum))
ORDER BY c.relname)sql";

// Of the builds of other roles a role without pg_read_all_stats sees the process and nothing else; their locks it sees.
constexpr std::string_view builds_sql = R"sql(
SELECT c.relname, coalesce(p.phase, 'by another role'), coalesce(greatest(p.blocks_done, p.tuples_done), 0),
       coalesce(CASE WHEN p.tuples_total > 0 THEN p.tuples_total ELSE p.blocks_total END, 0)
FROM pg_catalog.pg_stat_progress_create_index p
LEFT JOIN pg_catalog.pg_class c ON c.oid = p.index_relid
WHERE p.datname = pg_catalog.current_database()
  AND (p.relid = pg_catalog.to_regclass('products')
       OR p.relid IS NULL AND EXISTS (SELECT FROM pg_catalog.pg_locks l
                                      WHERE l.pid = p.pid AND l.relation = pg_catalog.to_regclass('products')))
ORDER BY c.relname, p.pid)sql";

std::uint64_t number(const pg::Result& rows, int row, int column) {
    return static_cast<std::uint64_t>(rows.integer(row, column));
}

}  // namespace

EmbeddingStorage read_embedding_storage(pg::Connection& db) {
    const pg::Result size = db.exec(size_sql);
    if (size.empty() || size.is_null(0, 0)) {
        throw Error{ErrorCode::not_found, fmt::format("There is no product catalog in database '{}'", db.database()),
                    "Make it: `decant schema up`."};
    }
    EmbeddingStorage storage{.table_bytes = number(size, 0, 0),
                             .index_bytes = number(size, 0, 1),
                             .indexes = read_embedding_indexes(db),
                             .builds = {}};
    const pg::Result builds = db.exec(builds_sql);
    for (int row = 0; row < builds.rows(); ++row) {
        storage.builds.push_back({.index = builds.optional_text(row, 0),
                                  .phase = std::string{builds.text(row, 1)},
                                  .done = number(builds, row, 2),
                                  .total = number(builds, row, 3)});
    }
    return storage;
}

std::optional<SearchedIndex> EmbeddingIndex::searched() const {
    const auto kind = index_kind_names.find(method);
    const bool is_half = operator_class == "halfvec_cosine_ops";
    if (!kind || is_partial || !(is_half || operator_class == "vector_cosine_ops")) return std::nullopt;
    return SearchedIndex{.kind = *kind,
                         .type = is_half ? pg::VectorType::halfvec : pg::VectorType::vector,
                         .lists = *kind == IndexKind::ivfflat ? lists : 0};
}

std::vector<EmbeddingIndex> read_embedding_indexes(pg::Connection& db, std::string_view column) {
    const pg::Result rows = db.query(indexes_sql, {std::string{column}});
    std::vector<EmbeddingIndex> indexes;
    for (int row = 0; row < rows.rows(); ++row) {
        // The catalog is read as of one moment, sizes and definitions are of now: this index was dropped in between.
        if (rows.is_null(row, 3) || rows.is_null(row, 8)) continue;
        indexes.push_back({.name = std::string{rows.text(row, 0)},
                           .method = std::string{rows.text(row, 1)},
                           .operator_class = std::string{rows.text(row, 2)},
                           .bytes = number(rows, row, 3),
                           .is_valid = rows.boolean(row, 4),
                           .is_ready = rows.boolean(row, 5),
                           .is_partial = rows.boolean(row, 6),
                           .lists = number(rows, row, 7),
                           .definition = std::string{rows.text(row, 8)}});
    }
    return indexes;
}

std::vector<std::string> find_abandoned_indexes(pg::Connection& db) {
    // Twice, with the look at the builds in between: one that ended just before has made its index valid by now.
    const EmbeddingStorage before = read_embedding_storage(db);
    std::vector<std::string> names;
    if (!before.builds.empty()) return names;
    for (const EmbeddingIndex& index : read_embedding_indexes(db)) {
        const auto seen = std::ranges::find(before.indexes, index.name, &EmbeddingIndex::name);
        if (!index.is_valid && seen != before.indexes.end() && !seen->is_valid) names.push_back(index.name);
    }
    return names;
}

SearchedIndex find_searched_index(pg::Connection& db, std::string_view column) {
    for (const EmbeddingIndex& index : read_embedding_indexes(db, column))
        if (const auto searched = index.searched(); searched && index.is_valid) return *searched;
    return {};
}

std::string cosine_distance(const Pgvector& pgvector, pg::VectorType type, const ComparedVectors& compared) {
    const std::string cast =
        type == pg::VectorType::vector ? "" : fmt::format("::{}({})", pgvector.type(type), compared.dimension);
    return fmt::format("({0}{1} {2} ${3}::{4}{1})", compared.column, cast,
                       pgvector.distance_operator(catalog::Space::cosine), compared.parameter,
                       pgvector.type(pg::VectorType::vector));
}

}  // namespace decant::store
