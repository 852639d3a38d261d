#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pg/connection.hpp"
#include "store/pgvector.hpp"

namespace decant::store {

/// What searches of products.embedding go by.
struct SearchedIndex {
    IndexKind kind = IndexKind::none;  ///< none: every row is compared
    /// halfvec: it is on the expression embedding::halfvec(N), and serves only that.
    pg::VectorType type = pg::VectorType::vector;
    std::uint64_t lists = 0;  ///< of ivfflat
};

/// An index on products.embedding.
struct EmbeddingIndex {
    std::string name;
    std::string method;          ///< "hnsw"
    std::string operator_class;  ///< "vector_cosine_ops"
    std::uint64_t bytes = 0;
    bool is_valid = false;    ///< queries may use it; false: being built, or its build failed
    bool is_ready = false;    ///< it takes new rows
    bool is_partial = false;  ///< of some rows only
    std::uint64_t lists = 0;  ///< of ivfflat
    std::string definition = {};

    /// Of all rows by cosine distance, which searches ask for; none where it is of another kind.
    std::optional<SearchedIndex> searched() const;
};

/// An index of products that is being built at the moment, on whichever column and by whichever role.
struct IndexBuildState {
    std::optional<std::string> index;  ///< none: it is not seen before it is done, or not by this role
    std::string phase;                 ///< "by another role" where the server tells this one no more
    std::uint64_t done = 0;            ///< blocks or rows, as the phase counts them
    std::uint64_t total = 0;
};

struct EmbeddingStorage {
    std::uint64_t table_bytes = 0;  ///< of products, with what is stored apart
    std::uint64_t index_bytes = 0;  ///< of all its indexes
    std::vector<EmbeddingIndex> indexes;
    std::vector<IndexBuildState> builds;
};

/// From PostgreSQL's catalogs alone: no row of the table is read. Throws Error{not_found} where there is no table
/// products.
EmbeddingStorage read_embedding_storage(pg::Connection& db);

/// Those of the storage alone, by name.
std::vector<EmbeddingIndex> read_embedding_indexes(pg::Connection& db, std::string_view column = "embedding");

/// Names of those that a build left invalid, on whichever role's behalf. None while an index of products is being
/// built: it is not valid yet either.
std::vector<std::string> find_abandoned_indexes(pg::Connection& db);

/// The first valid one by name.
SearchedIndex find_searched_index(pg::Connection& db, std::string_view column = "embedding");

/// A column and the parameter that it is compared with, a vector.
struct ComparedVectors {
    std::string_view column;  ///< "p.embedding"
    std::size_t parameter;    ///< its number
    std::size_t dimension;
};
/// Their cosine distance, by which an index of this type gives its rows in order.
std::string cosine_distance(const Pgvector& pgvector, pg::VectorType type, const ComparedVectors& compared);

}  // namespace decant::store
