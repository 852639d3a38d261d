#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/enum_names.hpp"
#include "search/facets.hpp"
#include "search/filter.hpp"
#include "search/hit.hpp"
#include "store/catalog_state.hpp"
#include "store/pgvector.hpp"

namespace decant::search {

struct VectorQuery {
    std::span<const float> vector;
    Filter filter = {};
    std::uint64_t limit = 10;
    std::uint64_t offset = 0;
    double threshold = -1;  ///< least cosine similarity
    double recall = 0.98;   ///< wanted of the index: the share of the nearest rows that it is to find
    bool facets = false;
    bool explains = false;
};

/// How the nearest rows were found: by the HNSW index, which goes on until enough rows pass the filter, or by comparing
/// every row that passes, which is quicker, and exact, where few do.
enum class Scan { index, exact };
inline constexpr EnumNames<Scan, 2> scan_names{{"index", "exact"}};

struct VectorAnswer {
    std::vector<Hit> hits;  ///< the nearest first
    Scan scan = Scan::index;
    std::uint64_t passing = 0;    ///< rows that pass the filter, as the server's statistics have it
    std::uint64_t rows = 0;       ///< of the table, the same
    std::uint64_t ef_search = 0;  ///< rows that the index looks at before it sorts them; of Scan::index
    std::string plan;             ///< EXPLAIN (ANALYZE); empty unless it was asked for
    std::optional<Facets> facets = {};
};

/// Rows that hnsw.ef_search has the index look at for the `wanted` nearest ones with this recall. Calibrated on 100,000
/// clustered vectors of 384 dimensions (docs/search.md).
std::uint64_t ef_search_for(std::uint64_t wanted, double recall) noexcept;

/// Products by the distance of their vectors. One connection, one thread at a time.
class VectorSearcher {
public:
    /// Reads what the catalog is like, once. Throws Error{not_found}: no catalog, no pgvector.
    explicit VectorSearcher(pg::Connection& db);

    /// As many rows as were asked for, whenever so many pass filter and threshold.
    /// Throws Error{dimension_mismatch}, and as bind.
    VectorAnswer find(const VectorQuery& query);

private:
    pg::Connection& db_;
    store::CatalogState state_;
    store::Pgvector pgvector_;
};

/// The same, once.
inline VectorAnswer find_nearest(pg::Connection& db, const VectorQuery& query) {
    return VectorSearcher{db}.find(query);
}

}  // namespace decant::search
