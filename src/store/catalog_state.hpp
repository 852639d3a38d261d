#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pg/connection.hpp"
#include "store/server_check.hpp"

namespace decant::store {

/// One object that a migration makes and that is not there, or is an index that is not valid.
struct MissingObject {
    int version;       ///< of the migration
    std::string name;  ///< "table brands", "index idx_products_embedding_hnsw"
};

/// What of the product catalog is in the connected database. Reading it changes nothing and takes no lock that waits.
struct CatalogState {
    std::string schema = "public";  ///< unquoted; of products, else where it would be made
    bool has_products = false;
    std::string embedding_type;              ///< of products.embedding: "vector"; empty: there is no such column
    std::optional<std::uint32_t> dimension;  ///< none: no such column, or one without a fixed dimension
    bool may_alter = false;                  ///< the role owns products, or may make it
    bool may_write = false;  ///< SELECT, INSERT and UPDATE on products; with no such table, as may_alter
    std::vector<MissingObject> missing;

    bool has_embedding() const noexcept { return !embedding_type.empty(); }
    /// "vector(768)"
    std::string column_type() const;
};

/// The dimension of a new embedding column where nothing else says: nomic-embed-text's.
inline constexpr std::uint32_t default_dimension = 768;

/// `column` is what type and dimension are told of.
CatalogState read_catalog_state(pg::Connection& db, std::string_view column = "embedding");

/// The guide's "products.embedding column not found", or that there is no table products. `dimension` is what the
/// column should get.
std::optional<Error> embedding_problem(const pg::Connection& db, const CatalogState& state,
                                       std::optional<std::uint32_t> dimension = {});

/// The guide's "Embedding dimension mismatch", also of a column of another type or without a fixed dimension. `holder`
/// is what the vectors come from, as in "collection 'products' holds".
std::optional<Error> dimension_problem(const CatalogState& state, std::uint32_t wanted, const std::string& holder);

}  // namespace decant::store
