#include "search/detail/lexicon.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/fold_text.hpp"
#include "search/detail/question_words.hpp"

namespace decant::search::detail {
namespace {

constexpr std::chrono::minutes most_age{5};
constexpr double most_products = 5'000;
constexpr std::size_t least_letters = 4;
constexpr std::size_t long_word = 8;

constexpr std::string_view rows_sql =
    "SELECT greatest(reltuples, 1) FROM pg_catalog.pg_class WHERE oid = pg_catalog.to_regclass('products')";
constexpr std::string_view names_sql =
    "SELECT pg_catalog.concat_ws(' ', name, display_name) FROM brands UNION ALL "
    "SELECT pg_catalog.concat_ws(' ', name, display_name) FROM categories UNION ALL "
    "SELECT pg_catalog.concat_ws(' ', name, display_name) FROM subcategories UNION ALL "
    "SELECT written FROM decant.synonyms";
/// {} is a percentage of pages.
constexpr std::string_view products_sql =
    "SELECT pg_catalog.concat_ws(' ', name, pg_catalog.left(description, 500)) FROM products TABLESAMPLE SYSTEM ({}) "
    "WHERE active";

}  // namespace

void Lexicon::add(std::string_view text) {
    for (const std::string_view word : words_of(text)) {
        if (word.size() < least_letters || word.size() > most_letters ||
            std::ranges::any_of(word, [](char c) { return c >= '0' && c <= '9'; })) {
            continue;
        }
        // Of several spellings the one with accents is right: they are left out more often than put in.
        Word& known = words_[fold_text(word)];
        ++known.count;
        if (known.written.size() < word.size()) known.written = word;
    }
}

void Lexicon::load(pg::Connection& db) {
    words_.clear();
    const double rows = db.exec(rows_sql).real(0, 0);
    for (const std::string& sql :
         {std::string{names_sql}, fmt::format(products_sql, std::min(100.0, 100 * most_products / rows))}) {
        const pg::Result texts = db.exec(sql);
        for (int row = 0; row < texts.rows(); ++row)
            add(texts.text(row, 0));
    }
    loaded_ = std::chrono::steady_clock::now();
}

std::optional<std::string> Lexicon::nearest(pg::Connection& db, std::string_view folded) {
    if (folded.size() < least_letters) return std::nullopt;
    if (!loaded_ || std::chrono::steady_clock::now() - *loaded_ > most_age) load(db);
    const std::size_t most = folded.size() < long_word ? 1 : 2;
    std::optional<std::string> best;
    // Fewer edits, then the same first letter, then the more frequent.
    std::tuple<std::size_t, bool, std::uint32_t> best_rank{most + 1, true, 0};
    for (const auto& [word, known] : words_) {
        const std::size_t edits = edits_between(folded, word, most);
        const bool is_other_start = word.front() != folded.front();
        if (edits > most || (edits == 2 && is_other_start)) continue;
        // Most short words have a neighbour of another letter that means something else: vino, vivo.
        if (edits == 1 && folded.size() == least_letters && word.size() == folded.size() &&
            !std::ranges::is_permutation(word, folded)) {
            continue;
        }
        const std::tuple rank{edits, is_other_start, UINT32_MAX - known.count};
        if (best && (rank > best_rank || (rank == best_rank && word > *best))) continue;
        best = word;
        best_rank = rank;
    }
    return best ? std::optional{words_.at(*best).written} : std::nullopt;
}

}  // namespace decant::search::detail
