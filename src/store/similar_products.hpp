#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pg/connection.hpp"

namespace decant::store {

struct SimilarProduct {
    std::string id;
    std::string sku;  ///< empty: none
    std::string name;
    double similarity = 0;  ///< cosine, 1 is the same direction
    double price = 0;
    std::int64_t stock = 0;
    std::string category;
    std::string brand;
};

struct SimilarTo {
    std::string id;
    std::string name;
    std::vector<SimilarProduct> products;  ///< most similar first, without the product itself
};

struct SimilarRequest {
    std::string product;  ///< id or sku
    std::uint64_t limit = 10;
    double threshold = 0;  ///< least similarity
};

/// Asks find_similar_products, which the HNSW index serves; products without stock are among them.
/// Throws Error{not_found}: the catalog, the product, or its embedding.
SimilarTo find_similar(pg::Connection& db, const SimilarRequest& request);

}  // namespace decant::store
