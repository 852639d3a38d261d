#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/enum_names.hpp"
#include "core/json.hpp"
#include "search/understanding.hpp"
#include "search/vocabulary.hpp"

namespace decant::chat {

/// What a message asks, as callers of the API know it.
enum class IntentKind {
    show_general_catalog,
    search_specific_products,
    search_by_category,
    search_by_brand,
    search_by_price,
    get_product_details,
    greeting,
    other
};
inline constexpr EnumNames<IntentKind, 8> intent_names{{"show_general_catalog", "search_specific_products",
                                                        "search_by_category", "search_by_brand", "search_by_price",
                                                        "get_product_details", "greeting", "other"}};

/// What the agent does about it.
enum class Act {
    search,
    browse,  ///< what passes prices and marks, with no word to search for
    catalog,
    more,     ///< of the last request
    details,  ///< of chosen, named or the last products
    stock,
    compare,
    greet,
    thank,
    part,
    help,
    human,
    service,    ///< delivery, payment, orders: nothing of it is in the catalog
    unsettled,  ///< which of the shown products, when none was shown
    off_topic
};

struct Intent {
    IntentKind kind = IntentKind::search_specific_products;
    Act act = Act::search;
    std::string search_terms = {};
    std::optional<std::string> category = {};  ///< as the catalog shows it
    std::optional<std::string> brand = {};
    std::optional<double> price_min = {};
    std::optional<double> price_max = {};
    std::optional<std::string> specific_product = {};  ///< its name or sku, as it was said
    bool wants_stock_info = false;
    bool wants_featured = false;
    bool wants_sale = false;

    bool in_stock = false;  ///< only what is
    bool refines = false;   ///< goes on from the last request: "y de Lenovo?", "más barata"
    search::PriceWish wish = search::PriceWish::none;
    search::PriceWish picks = search::PriceWish::none;  ///< the cheapest, or dearest, of what was shown
    std::vector<std::size_t> chosen = {};               ///< places among what was shown, from 0
    std::vector<std::string> named = {};                ///< products of a comparison, of a question for details
    std::vector<std::string> codes = {};                ///< words that may be a sku or a barcode
    std::string brand_words = {};                       ///< that name the brand, as they were written
    bool is_of_llm = false;
};

/// What went before.
struct Said {
    std::size_t shown = 0;     ///< products in the last answer that had any
    bool has_request = false;  ///< something was searched for
};

/// By rules, in Spanish and English. Pure, bounded, any thread; never throws for a text.
Intent read_intent(std::string_view message, const search::Vocabulary& vocabulary, const Said& said);

/// The members that the contract names.
json::object json_of(const Intent& intent);

}  // namespace decant::chat
