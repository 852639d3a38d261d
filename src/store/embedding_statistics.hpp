#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pg/connection.hpp"

namespace decant::store {

/// Of active products. `stale` is what database.md's definition of it says: changed after the vector was made, or made
/// by another model.
struct EmbeddingStatistics {
    std::uint64_t products = 0;
    std::uint64_t with_embedding = 0;
    std::uint64_t stale = 0;                      ///< of those
    std::optional<std::string> last_update = {};  ///< UTC, ISO 8601
    std::optional<double> average_age_days = {};  ///< of vectors that are not marked

    std::uint64_t without_embedding() const noexcept { return products - with_embedding; }
    /// 100 for a catalog without products: nothing is missing.
    double coverage_percentage() const noexcept {
        return products == 0 ? 100 : 100 * static_cast<double>(with_embedding) / static_cast<double>(products);
    }
};

/// Read from products, not from the materialized view, which may be old. `model`: the one in use.
/// Throws Error{not_found} where there is no catalog.
EmbeddingStatistics read_embedding_statistics(pg::Connection& db, const std::string& model);

struct StaleEmbedding {
    std::string product_id;
    std::string name;
    std::optional<std::string> last_update;  ///< UTC, ISO 8601; none: the product changed after it
    std::optional<double> days;              ///< since then
};

struct StaleEmbeddings {
    std::vector<StaleEmbedding> rows;  ///< those that are marked first, then the oldest
    std::uint64_t total = 0;
};

struct StaleQuery {
    std::string model;  ///< the one in use
    int days = 7;       ///< older ones too, stale or not
    std::uint64_t limit = 100;
};

StaleEmbeddings read_stale_embeddings(pg::Connection& db, const StaleQuery& query);

}  // namespace decant::store
