#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "search/filter.hpp"
#include "search/vocabulary.hpp"

namespace decant::search {

/// What some words of a question were taken for.
struct Meaning {
    MeaningKind kind;
    std::string text;   ///< the words
    std::string value;  ///< "Monitores", "1500", "cheap"
};

enum class PriceWish { none, cheap, expensive };

struct Understood {
    std::string text;  ///< what is left to be searched for; may be empty where all was understood
    std::vector<Meaning> meanings;
    NamedIds categories = {};
    NamedIds subcategories = {};
    NamedIds brands = {};
    std::optional<double> min_price;
    std::optional<double> max_price;
    bool in_stock = false;
    bool on_sale = false;
    bool featured = false;
    PriceWish wish = PriceWish::none;

    /// Understood from names, which may be wrong, in the way that prices cannot.
    bool has_names() const noexcept { return !categories.empty() || !subcategories.empty() || !brands.empty(); }
};

/// Prices, stock, sale, brand and category of a question in Spanish or English; what is no filter with certainty stays
/// in the text. Names stay there too: the products' embedded texts have them. Bounded work, never throws for a text.
Understood understand(std::string_view question, const Vocabulary& vocabulary);

/// As if nothing of this kind had been understood. Its words do not come back into the text.
void forget(Understood& understood, MeaningKind kind);

/// What was understood, where the filter does not say it already.
Filter merged(const Filter& given, const Understood& understood);

}  // namespace decant::search
