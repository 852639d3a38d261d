#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "pg/connection.hpp"
#include "search/filter.hpp"
#include "search/hit.hpp"

namespace decant::chat {

/// A product with what is told of it when it is asked for by itself.
struct ProductFacts {
    search::Hit hit;
    std::string specs = {};                                         ///< in one line
    std::vector<std::pair<std::string, std::string>> details = {};  ///< technical specifications by name
};

/// Those of these ids that are still for sale, in their order, as they are now.
std::vector<ProductFacts> read_products(pg::Connection& db, std::span<const std::string> ids);

/// Ids of the active products with one of these words as sku or barcode, in any case.
std::vector<std::string> find_codes(pg::Connection& db, std::span<const std::string> codes);

/// What passes a filter without being searched for: in stock before what is not, then by price.
std::vector<search::Hit> browse(pg::Connection& db, const search::Filter& filter, std::uint64_t limit,
                                std::uint64_t offset);

/// Kinds of products with how many there are, the most frequent first, and some that are marked.
struct Overview {
    std::uint64_t products = 0;
    std::vector<std::pair<std::string, std::uint64_t>> categories;
    std::vector<search::Hit> featured;
};
Overview read_overview(pg::Connection& db, std::size_t most_featured);

}  // namespace decant::chat
