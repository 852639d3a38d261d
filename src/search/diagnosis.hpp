#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pg/connection.hpp"
#include "search/filter.hpp"

namespace decant::search {

/// What one part of a filter keeps out: products that pass all its other parts.
struct FilterEffect {
    std::string name;
    std::uint64_t removed = 0;
};

/// Why an answer is empty or weak, with counts.
struct Diagnosis {
    std::uint64_t products = 0;  ///< that are active
    std::uint64_t without_embedding = 0;
    std::uint64_t passing = 0;  ///< the filter
    std::vector<FilterEffect> filters = {};
    double threshold = 0;
    std::optional<double> best_similarity = {};  ///< of what passes, where it is under the threshold
    bool compares_vectors = true;                ///< a product without embedding could not be found
    bool is_short = false;                       ///< the question has too few letters to mean something

    /// One sentence a cause that holds, the weightiest first.
    std::vector<std::string> causes() const;
};

/// Counts in one pass over products; best_similarity and threshold are the caller's to fill.
Diagnosis diagnose(pg::Connection& db, const BoundFilter& filter, std::string_view text);

}  // namespace decant::search
