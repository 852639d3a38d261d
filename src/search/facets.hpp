#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pg/connection.hpp"
#include "search/filter.hpp"

namespace decant::search {

struct FacetValue {
    std::string id;  ///< of the category or brand
    std::string name;
    std::uint64_t products = 0;
};

/// Prices of at least `from` and under `to`.
struct PriceRange {
    std::optional<double> from;
    std::optional<double> to;
    std::uint64_t products = 0;
};

/// How the products that pass a filter are made up, the most frequent first; price ranges from low to high.
struct Facets {
    std::uint64_t products = 0;
    std::vector<FacetValue> categories;
    std::vector<FacetValue> brands;
    std::vector<PriceRange> prices;  ///< about equally filled, between round figures
};

pg::Statement facets_statement(const BoundFilter& filter);
Facets read_facets(const pg::Result& rows);

}  // namespace decant::search
