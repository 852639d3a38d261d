#include "search/vocabulary.hpp"

#include <algorithm>

#include "core/fold_text.hpp"

namespace decant::search {
namespace {

constexpr std::string_view names_sql = R"sql(
SELECT 'category', id, name, display_name, NULL FROM categories WHERE active
UNION ALL SELECT 'subcategory', s.id, s.name, s.display_name, s.category_id::text
FROM subcategories s JOIN categories c ON c.id = s.category_id WHERE s.active AND c.active
UNION ALL SELECT 'brand', id, name, display_name, NULL FROM brands WHERE active)sql";
constexpr std::string_view pairs_sql = R"sql(
SELECT coalesce(subcategory_id, category_id), brand_id, count(*)
FROM products WHERE active AND brand_id IS NOT NULL AND category_id IS NOT NULL
GROUP BY GROUPING SETS ((category_id, brand_id), (subcategory_id, brand_id))
HAVING coalesce(subcategory_id, category_id) IS NOT NULL)sql";
constexpr std::string_view marks_sql = R"sql(
SELECT EXISTS (SELECT FROM products WHERE active AND on_sale), EXISTS (SELECT FROM products WHERE active AND featured)
)sql";
constexpr std::string_view has_synonyms_sql = "SELECT pg_catalog.to_regclass('decant.synonyms') IS NOT NULL";
constexpr std::string_view synonyms_sql = "SELECT group_id, word FROM decant.synonyms ORDER BY group_id, word";

std::string spaced(std::string_view written) {
    std::string text{written};
    std::ranges::replace(text, '_', ' ');
    return text;
}

std::string joined(std::string_view folded, std::string_view between) {
    std::string out;
    for (const std::string_view word : words_of(folded)) {
        if (!out.empty()) out += between;
        out += word;
    }
    return out;
}

std::string key_of_phrase(std::string_view folded) {
    std::string key;
    for (const std::string_view word : words_of(folded))
        key += (key.empty() ? "" : " ") + key_of_word(word);
    return key;
}

MeaningKind kind_of(std::string_view name) {
    return meaning_names.find(name).value_or(MeaningKind::brand);
}

void load_names(Vocabulary& vocabulary, pg::Connection& db) {
    const pg::Result names = db.exec(names_sql);
    for (int row = 0; row < names.rows(); ++row) {
        const Vocabulary::Name name{.kind = kind_of(names.text(row, 0)),
                                    .id = std::string{names.text(row, 1)},
                                    .shown = std::string{names.text(row, names.is_null(row, 3) ? 2 : 3)},
                                    .parent = std::string{names.text(row, 4)}};
        vocabulary.add(names.text(row, 2), name);
        if (!names.is_null(row, 3)) vocabulary.add(names.text(row, 3), name);
    }
}

void load_synonyms(Vocabulary& vocabulary, pg::Connection& db) {
    if (!db.exec(has_synonyms_sql).boolean(0, 0)) return;
    const pg::Result words = db.exec(synonyms_sql);
    std::vector<std::string> group;
    for (int row = 0; row < words.rows(); ++row) {
        group.emplace_back(words.text(row, 1));
        if (row + 1 < words.rows() && words.text(row + 1, 0) == words.text(row, 0)) continue;
        vocabulary.add_synonyms(group);
        group.clear();
    }
}

}  // namespace

std::string key_of_word(std::string_view folded) {
    std::string key{folded};
    if (key == "mice") return "mous";
    const auto without = [&](std::size_t end) { return key.substr(0, key.size() - end); };
    if (key.ends_with("ces") && key.size() > 4) return without(3) + "z";  // luces, luz; devices as its singular below
    if (key.ends_with("ce") && key.size() > 4) return without(2) + "z";
    if (key.ends_with("ies") && key.size() > 4) return without(3) + "y";
    const bool is_abbreviation = key.size() == 3 && key.find_first_of("aeiou") == std::string::npos;
    if (key.ends_with('s') && (key.size() > 3 || is_abbreviation)) key.pop_back();
    // Shorter ones would meet other words: "redes" is not the "red" of a red keyboard.
    if (key.ends_with('e') && key.size() > 4) key.pop_back();
    return key;
}

void Vocabulary::add(std::string_view written, const Name& name) {
    Name named = name;
    named.written = joined(fold_text(spaced(written)), " ");
    const auto put = [&](const std::string& key) {
        std::vector<Name>& names = names_[key];
        const auto is_same = [&](const Name& other) { return other.kind == named.kind && other.id == named.id; };
        if (std::ranges::none_of(names, is_same)) names.push_back(named);
    };
    const std::string key = key_of_phrase(named.written);
    if (key.empty()) return;
    put(key);
    if (name.kind == MeaningKind::category) shown_.emplace(name.id, name.shown);
    if (name.kind == MeaningKind::subcategory) {
        for (const std::string_view word : words_of(named.written))
            subcategory_words_[name.parent].emplace_back(key_of_word(word), name.id);
    }
    if (name.kind != MeaningKind::brand) return;
    // "coolermaster", "tplink"
    const std::string whole = joined(named.written, "");
    if (whole.size() == named.written.size()) return;
    named.written = whole;
    put(key_of_word(whole));
}

void Vocabulary::add_pair(const std::string& category_or_subcategory, const std::string& brand,
                          std::uint64_t products) {
    pairs_[category_or_subcategory + brand] += products;
    products_[category_or_subcategory] += products;
}

double Vocabulary::share_of(const std::string& brand, const std::string& category_or_subcategory) const {
    const auto pair = pairs_.find(category_or_subcategory + brand);
    const auto all = products_.find(category_or_subcategory);
    if (pair == pairs_.end() || all == products_.end()) return 0;
    return static_cast<double>(pair->second) / static_cast<double>(all->second);
}

std::string Vocabulary::shown_of(const std::string& category) const {
    const auto found = shown_.find(category);
    return found == shown_.end() ? std::string{} : found->second;
}

bool Vocabulary::is_of_sibling(const Name& subcategory, const std::string& key) const {
    const auto words = subcategory_words_.find(subcategory.parent);
    if (words == subcategory_words_.end()) return false;
    bool is_sibling = false;
    for (const auto& [word, id] : words->second) {
        if (word != key) continue;
        if (id == subcategory.id) return false;
        is_sibling = true;
    }
    return is_sibling;
}

void Vocabulary::add_synonyms(const std::vector<std::string>& group) {
    std::vector<Name> names;
    for (const std::string& word : group) {
        if (const auto* found = find(key_of_phrase(fold_text(word)))) {
            for (const Name& name : *found)
                if (name.kind != MeaningKind::brand) names.push_back(name);
        }
    }
    for (Name& name : names)
        name.is_synonym = true;
    for (const std::string& word : group)
        for (const Name& name : names)
            add(word, name);
}

const std::vector<Vocabulary::Name>* Vocabulary::find(const std::string& key) const {
    const auto found = names_.find(key);
    return found == names_.end() ? nullptr : &found->second;
}

Vocabulary load_vocabulary(pg::Connection& db) {
    Vocabulary vocabulary;
    load_names(vocabulary, db);
    const pg::Result pairs = db.exec(pairs_sql);
    for (int row = 0; row < pairs.rows(); ++row) {
        vocabulary.add_pair(std::string{pairs.text(row, 0)}, std::string{pairs.text(row, 1)},
                            static_cast<std::uint64_t>(pairs.integer(row, 2)));
    }
    const pg::Result marks = db.exec(marks_sql);
    vocabulary.marks_sale = marks.boolean(0, 0);
    vocabulary.marks_featured = marks.boolean(0, 1);
    load_synonyms(vocabulary, db);
    return vocabulary;
}

}  // namespace decant::search
