#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pg/connection.hpp"

namespace decant::store {

/// Of the connected database: holds the foreign tables of a sharded copy.
inline constexpr const char* sharded_schema = "decant_sharded";
/// Of each shard: holds its part.
inline constexpr const char* shard_schema = "decant_shard";

/// One part of a sharded copy of the catalog: a foreign table with id, category_id, subcategory_id, brand_id, price,
/// stock, active, featured, on_sale and embedding.
struct CatalogShard {
    std::string address;  ///< "10.0.0.2:5432/shop"; never a password
    std::string table;    ///< for SQL
};

/// A copy of the catalog's vectors over several servers, by the hash of the product's id, as `decant schema shard` left
/// it. Products that came later are not in it.
struct ShardedCatalog {
    std::string generation;  ///< another one with every copy
    std::string model;       ///< that made the vectors
    std::uint32_t dimension = 0;
    std::uint64_t rows = 0;
    std::string made_at;  ///< "2026-11-29T10:00:00Z"
    std::vector<CatalogShard> shards;
};

/// What is written with the schema, for read_sharded_catalog.
std::string description_of(const ShardedCatalog& catalog);

/// None where there is no copy. Takes no lock that waits.
std::optional<ShardedCatalog> read_sharded_catalog(pg::Connection& db);

}  // namespace decant::store
