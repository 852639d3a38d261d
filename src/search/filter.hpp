#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pg/connection.hpp"

/// search/: answers questions about products. Strategies ask one or several legs (vectors in PostgreSQL, words, Chroma)
/// and say which answered.
namespace decant::search {

/// Rows of categories, subcategories or brands, and how a person calls them.
struct NamedIds {
    std::string name = {};
    std::vector<std::string> ids = {};
    bool empty() const noexcept { return ids.empty(); }
};

/// What a product must be besides near. Names are of categories, subcategories and brands, or their display names, in
/// any case; an id is taken too.
struct Filter {
    std::optional<std::string> category = {};
    std::optional<std::string> subcategory = {};
    std::optional<std::string> brand = {};
    NamedIds categories = {};  ///< one of these, where they were looked up already
    NamedIds subcategories = {};
    NamedIds brands = {};
    std::optional<double> min_price = {};
    std::optional<double> max_price = {};
    bool in_stock = false;
    bool featured = false;
    bool on_sale = false;
    bool active = true;  ///< false: inactive ones too
};

/// One thing that a filter asks, for a person and as SQL.
struct FilterPart {
    std::string name;       ///< "category 'Monitores'", "price up to 200"
    std::string condition;  ///< with the numbers of BoundFilter's parameters
};

/// A filter as SQL over products p.
struct BoundFilter {
    std::string condition;          ///< never empty: "p.active"
    std::vector<pg::Param> params;  ///< $1...
    std::vector<FilterPart> parts;  ///< all but activity
    bool is_narrow = false;         ///< asks for more than stock and activity
};

/// The filter with ids in the place of names, so that binding it again asks nothing. Throws as bind.
Filter resolved(pg::Connection& db, const Filter& filter);

/// Looks the names up. Throws Error{not_found} for one that the catalog does not have, naming the nearest;
/// Error{request_invalid} for prices that no product can have.
BoundFilter bind(pg::Connection& db, const Filter& filter);

}  // namespace decant::search
