#pragma once

#include <cstdint>
#include <string>

#include "pg/connection.hpp"

namespace decant::store {

struct SimilarRequest {
    std::string product;  ///< id or sku
    std::uint64_t limit = 10;
    double threshold = 0;  ///< least similarity
    bool in_stock = false;
};

struct SimilarTo {
    std::string id;
    std::string name;
    pg::Result products;  ///< id, sku, name, brand, category, price, stock, similarity; the most similar first
};

/// Asks find_similar_products, which the HNSW index serves; the product itself is not
/// found. Throws Error{not_found}: the catalog, the product, or its embedding.
SimilarTo find_similar(pg::Connection& db, const SimilarRequest& request);

}  // namespace decant::store
