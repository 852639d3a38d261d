#pragma once

#include <cstdint>
#include <optional>
#include <string>
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
    /// True when nothing of the migration is missing.
    bool has_all_of(int version) const noexcept;
};

CatalogState read_catalog_state(pg::Connection& db);

/// The guide's "products.embedding column not found", or that there is no table products.
std::optional<Error> embedding_problem(const pg::Connection& db, const CatalogState& state);

/// A dimension that the column does not have: "Embedding dimension mismatch: ...", of a column that is of another type
/// or has no fixed dimension too.
std::optional<Error> dimension_problem(const CatalogState& state, std::uint32_t wanted);

}  // namespace decant::store
