#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "pg/connection.hpp"
#include "search/where.hpp"

namespace decant::search {

/// A condition over a copied table t (document text, metadata jsonb).
struct Condition {
    std::string sql;                ///< "true" where nothing is asked
    std::vector<pg::Param> params;  ///< in the order of their numbers
};

/// All of `filters`; parameters are numbered from `first`. Equality ($eq, $in of up to 20 values, $contains of lists)
/// is written as containment, which a GIN index on metadata serves.
Condition condition_of(std::span<const Where> filters, std::size_t first = 1);

}  // namespace decant::search
