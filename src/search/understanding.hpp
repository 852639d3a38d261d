#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/enum_names.hpp"
#include "pg/connection.hpp"
#include "search/filter.hpp"

namespace decant::search {

enum class MeaningKind { category, subcategory, brand, min_price, max_price, stock, sale, featured, price_wish };
inline constexpr EnumNames<MeaningKind, 9> meaning_names{
    {"category", "subcategory", "brand", "min_price", "max_price", "stock", "sale", "featured", "price_wish"}};

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

/// Names of the catalog by their words: in lower case, without accents, and without the endings of plurals.
class Vocabulary {
public:
    struct Name {
        MeaningKind kind;  ///< category, subcategory or brand
        std::string id;
        std::string shown;
        std::string parent = {};  ///< of a subcategory: its category
    };

    void add(std::string_view written, const Name& name);
    /// A product of this category (and subcategory) has this brand.
    void add_pair(const std::string& category_or_subcategory, const std::string& brand);
    /// Words that mean the same: a name that one of them is, all are.
    void add_synonyms(const std::vector<std::string>& group);

    /// The names that these words are; null when they are none.
    const std::vector<Name>* find(const std::string& key) const;
    bool has_pair(const std::string& category_or_subcategory, const std::string& brand) const;
    bool has_pairs() const noexcept { return !pairs_.empty(); }

    static constexpr std::size_t longest_name = 5;

private:
    std::unordered_map<std::string, std::vector<Name>> names_;
    std::unordered_map<std::string, bool> pairs_;
};

/// Categories, subcategories and brands that are active, the pairs of them that products have, and decant.synonyms.
Vocabulary load_vocabulary(pg::Connection& db);

/// Prices, stock, sale, brand and category of a question in Spanish or English; what is no filter with certainty stays
/// in the text. Bounded work, never throws for a text.
Understood understand(std::string_view question, const Vocabulary& vocabulary);

/// What was understood, where the filter does not say it already.
Filter merged(const Filter& given, const Understood& understood);

}  // namespace decant::search
