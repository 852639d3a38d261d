#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/enum_names.hpp"
#include "search/filter.hpp"
#include "search/hit.hpp"

namespace decant::search {

struct VectorQuery {
    std::span<const float> vector;
    Filter filter = {};
    std::uint64_t limit = 10;
    std::uint64_t offset = 0;
    double threshold = -1;  ///< least cosine similarity
};

/// How the nearest rows were found: by the HNSW index, which goes on until enough rows pass the filter, or by comparing
/// every row that passes, which is quicker, and exact, where few do.
enum class Scan { index, exact };
inline constexpr EnumNames<Scan, 2> scan_names{{"index", "exact"}};

struct VectorAnswer {
    std::vector<Hit> hits;  ///< the nearest first
    Scan scan = Scan::index;
    std::uint64_t passing = 0;  ///< rows that pass the filter, as the server's statistics have it
    std::uint64_t rows = 0;     ///< of the table, the same
    std::string plan;           ///< EXPLAIN (ANALYZE); empty unless it was asked for
};

/// As many rows as were asked for, whenever so many pass filter and threshold.
/// Throws Error{not_found}: no catalog, no such name; Error{dimension_mismatch}.
VectorAnswer find_nearest(pg::Connection& db, const VectorQuery& query, bool explains = false);

}  // namespace decant::search
