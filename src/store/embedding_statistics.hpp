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

/// Active products whose vector one model made.
struct ModelEmbeddings {
    std::optional<std::string> model;  ///< none: it is not known
    std::uint64_t products = 0;
    std::optional<std::string> oldest;  ///< UTC, ISO 8601; none: all are marked
    std::optional<std::string> newest;
};

/// The model of most products first. Passes over all products. Throws as read_embedding_statistics().
std::vector<ModelEmbeddings> read_embeddings_by_model(pg::Connection& db);

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
    std::string model;            ///< the one in use
    std::optional<int> days = 7;  ///< older ones too, stale or not; none: those alone
    std::uint64_t limit = 100;
};

StaleEmbeddings read_stale_embeddings(pg::Connection& db, const StaleQuery& query);

struct ProductName {
    std::string id;
    std::string name;
};
struct MissingEmbeddings {
    std::vector<ProductName> rows;  ///< by name
    std::uint64_t total = 0;
};
/// Active products without an embedding.
MissingEmbeddings read_missing_embeddings(pg::Connection& db, std::uint64_t limit);

/// The active products of one category or brand.
struct GroupCoverage {
    std::optional<std::string> name;  ///< as customers read it; none: products of no such group
    std::uint64_t products = 0;
    std::uint64_t with_embedding = 0;
    std::uint64_t stale = 0;
};
struct GroupedCoverage {
    std::vector<GroupCoverage> rows;  ///< those that lack most first, then the largest
    std::uint64_t total = 0;          ///< of groups
};
enum class Grouping { category, brand };
struct GroupQuery {
    Grouping by = Grouping::category;
    std::string model;  ///< the one in use
    std::uint64_t limit = 20;
};
GroupedCoverage read_grouped_coverage(pg::Connection& db, const GroupQuery& query);

/// The row of the view product_embedding_stats, which is as old as its last refresh.
struct StatisticsView {
    std::uint64_t products = 0;
    std::uint64_t with_embedding = 0;
    std::uint64_t missing = 0;
    std::uint64_t stale = 0;
    std::optional<double> average_hours = {};  ///< since the vectors were made
    std::optional<std::string> oldest = {};    ///< UTC, ISO 8601
    std::optional<std::string> newest = {};
    std::vector<std::string> models = {};
};
/// None where there is no such view, or it was never filled.
std::optional<StatisticsView> read_statistics_view(pg::Connection& db);

/// Concurrently, so that it can be read meanwhile. Vectors of other models than this one count as stale. Throws
/// Error{permission_denied} to whom the view does not belong.
void refresh_statistics_view(pg::Connection& db, const std::string& model);

}  // namespace decant::store
