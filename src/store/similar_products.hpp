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
    bool includes_itself = false;
};

struct SimilarTo {
    std::string id;
    std::string name;
    pg::Result products;  ///< what search::read_hit reads, then the similarity; the most similar first
};

/// Asks find_similar_products, which the HNSW index serves.
/// Throws Error{not_found}: the catalog, the product, or its embedding.
SimilarTo find_similar(pg::Connection& db, const SimilarRequest& request);

}  // namespace decant::store
