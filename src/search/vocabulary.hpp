#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/enum_names.hpp"
#include "pg/connection.hpp"

namespace decant::search {

enum class MeaningKind { category, subcategory, brand, min_price, max_price, stock, sale, featured, price_wish };
inline constexpr EnumNames<MeaningKind, 9> meaning_names{
    {"category", "subcategory", "brand", "min_price", "max_price", "stock", "sale", "featured", "price_wish"}};

/// Names of the catalog by their words: in lower case, without accents, and without the endings of plurals.
class Vocabulary {
public:
    struct Name {
        MeaningKind kind;  ///< category, subcategory or brand
        std::string id;
        std::string shown;
        std::string parent = {};   ///< of a subcategory: its category
        std::string written = {};  ///< folded, as the catalog or a synonym has it; add() fills it
        bool is_synonym = false;   ///< the catalog does not call it so
    };

    void add(std::string_view written, const Name& name);
    /// So many products of this category (or subcategory) have this brand.
    void add_pair(const std::string& category_or_subcategory, const std::string& brand, std::uint64_t products = 1);
    /// Words that mean the same: a name that one of them is, all are.
    void add_synonyms(const std::vector<std::string>& group);

    /// The names that these words are; null when they are none.
    const std::vector<Name>* find(const std::string& key) const;
    /// The part of a category's products that a brand has, from 0 to 1.
    double share_of(const std::string& brand, const std::string& category_or_subcategory) const;
    bool has_pairs() const noexcept { return !pairs_.empty(); }
    /// How a category is shown; empty where there is none.
    std::string shown_of(const std::string& category) const;
    /// Whether a word is in the name of another subcategory of this one's category: "externo" beside "Discos SSD".
    bool is_of_sibling(const Name& subcategory, const std::string& key) const;

    /// A catalog that marks no product so means nothing by the word.
    bool marks_sale = true;
    bool marks_featured = true;

    static constexpr std::size_t longest_name = 5;

private:
    std::unordered_map<std::string, std::vector<Name>> names_;
    std::unordered_map<std::string, std::string> shown_;  ///< of categories
    std::unordered_map<std::string, std::uint64_t> pairs_;
    std::unordered_map<std::string, std::uint64_t> products_;  ///< with a brand, of a category or subcategory
    std::unordered_map<std::string, std::vector<std::pair<std::string, std::string>>> subcategory_words_;
};

/// The same for singular and plural of Spanish and English: no word, only a key. `folded` as of fold_text.
std::string key_of_word(std::string_view folded);

/// Categories, subcategories and brands that are active, how many products pair them, and decant.synonyms.
Vocabulary load_vocabulary(pg::Connection& db);

}  // namespace decant::search
