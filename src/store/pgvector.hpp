#pragma once

#include <optional>
#include <string>

#include "catalog/similarity.hpp"
#include "pg/binary_row.hpp"
#include "pg/connection.hpp"

/// store/: what decant keeps and builds in PostgreSQL: pgvector's names, indexes, the embedded server.
namespace decant::store {

/// The installed extension. On managed servers it may live in any schema, so every name is qualified.
struct Pgvector {
    std::string schema;             ///< quoted
    std::string version;            ///< "0.8.5"
    bool is_in_search_path = true;  ///< of the connected session: a person may write its names without the schema

    std::string type(pg::VectorType type) const;                                  ///< "public".vector
    std::string operator_class(pg::VectorType type, catalog::Space space) const;  ///< "public".vector_cosine_ops
    /// OPERATOR("public".<=>); `space` l2 gives <-> (Euclidean, the same order as Chroma's squared one), ip gives <#>.
    std::string distance_operator(catalog::Space space) const;
};

/// None when the extension is not installed in the connected database.
std::optional<Pgvector> find_pgvector(pg::Connection& db);

/// The operator alone, as a person writes it: <=>, <->, <#>.
constexpr std::string_view operator_of(catalog::Space space) noexcept {
    return EnumNames<catalog::Space, 3>{{"<->", "<=>", "<#>"}}[space];
}

enum class IndexKind { none, hnsw, ivfflat };
inline constexpr EnumNames<IndexKind, 3> index_kind_names{{"none", "hnsw", "ivfflat"}};
constexpr std::string_view name_of(IndexKind kind) noexcept {
    return index_kind_names[kind];
}

/// Most dimensions that an index of pgvector takes: 2,000 for vector, 4,000 for halfvec.
std::uint32_t max_index_dimensions(pg::VectorType type) noexcept;

}  // namespace decant::store
