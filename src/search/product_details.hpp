#pragma once

#include <string>

#include "pg/connection.hpp"
#include "search/hit.hpp"

namespace decant::search {

/// All that is told of one product of the catalog.
struct ProductDetails {
    Hit product;              ///< neither similarity nor score
    std::string description;  ///< the whole of it
    bool is_active = false;
    bool is_featured = false;
    bool is_on_sale = false;
};

/// By id, whether it is active or not. Throws Error{not_found}.
ProductDetails read_product(pg::Connection& db, const std::string& id);

}  // namespace decant::search
