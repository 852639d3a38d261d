#include "search/detail/wanted_words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "catalog/synonym_groups.hpp"
#include "core/fold_text.hpp"

namespace decant::search::detail {
namespace {

constexpr std::string_view synonyms_sql =
    "SELECT asked.word, same.written FROM decant.synonyms asked JOIN decant.synonyms same USING (group_id) "
    "WHERE asked.word = ANY ($1::text[]) AND same.word <> asked.word ORDER BY asked.word, same.place";

constexpr std::string_view stems_sql =
    "SELECT w, coalesce(array_to_string(ts_lexize('pg_catalog.spanish_stem', w), ''), ''), "
    "coalesce(ts_lexize('pg_catalog.english_stem', w) = '{}', false) FROM unnest($1::text[]) w";

constexpr std::string_view present_sql =
    "SELECT lexeme FROM unnest($1::text[], $2::tsquery[]) u (lexeme, q) "
    "WHERE EXISTS (SELECT FROM decant.product_words WHERE words @@ q)";

/// More are not counted one by one.
constexpr std::uint64_t most_counted = 1'000;
constexpr std::string_view counts_sql =
    "SELECT (SELECT count(*) FROM (SELECT FROM decant.product_words WHERE words @@ q LIMIT $2::bigint) w) "
    "FROM unnest($1::tsquery[]) WITH ORDINALITY u (q, n) ORDER BY n";
/// Its first line says how many the planner's statistics of lexemes expect.
constexpr std::string_view estimate_sql = "EXPLAIN SELECT FROM decant.product_words WHERE words @@ $1::tsquery";
constexpr std::string_view total_sql =
    "SELECT CASE WHEN reltuples > 0 THEN reltuples ELSE (SELECT count(*) FROM decant.product_words) END "
    "FROM pg_catalog.pg_class WHERE oid = 'decant.product_words'::regclass";

/// "Bitmap Heap Scan on product_words  (cost=27.41..3248.16 rows=4139 width=0)"
std::uint64_t rows_of_plan(std::string_view line) {
    const std::size_t at = line.find(" rows=");
    if (at == std::string_view::npos) return 0;
    std::uint64_t rows = 0;
    for (const char c : line.substr(at + 6)) {
        if (c < '0' || c > '9') break;
        rows = rows * 10 + static_cast<std::uint64_t>(c - '0');
    }
    return rows;
}

/// As few products have it as have a word that names a kind of product in a shop of some dozens: a word that is rare in
/// a small catalog, or not in it at all, must not outweigh the others the more the larger the catalog is.
const double unknown_information = std::log(50);

double information_of(std::uint64_t products, double total) {
    if (products == 0) return unknown_information;
    const auto with = static_cast<double>(products);
    return std::log(1 + (std::max(total - with, 0.0) + 0.5) / (with + 0.5));
}

}  // namespace

std::string quoted_lexeme(std::string_view lexeme) {
    std::string out = "'";
    for (const char c : lexeme) {
        if (c == '\'' || c == '\\') out.push_back(c);
        out.push_back(c);
    }
    return out + "'";
}

std::string Wanted::tsquery_of(std::size_t alternatives, char label) const {
    std::string suffix = term.is_prefix || label != 0 ? ":" : "";
    if (term.is_prefix) suffix += '*';
    if (label != 0) suffix += label;
    std::string query;
    for (std::size_t i = 0; i < std::min(alternatives, lexemes.size()); ++i) {
        std::string all;
        for (const auto& spellings : lexemes[i]) {
            std::string any;
            for (const std::string& lexeme : spellings)
                any += (any.empty() ? "" : " | ") + quoted_lexeme(lexeme) + suffix;
            all += fmt::format("{}({})", all.empty() ? "" : " & ", any);
        }
        if (!all.empty()) query += fmt::format("{}({})", query.empty() ? "" : " | ", all);
    }
    return query;
}

WantedWords::Found WantedWords::find(std::string_view question) {
    std::vector<Term> terms = terms_of(question);
    std::vector<Wanted> wanted = ask(terms);
    const bool is_last_open = !question.ends_with(' ');
    if (change_unknown(terms, wanted, is_last_open)) wanted = ask(terms);
    Found found;
    for (Wanted& one : wanted) {
        if (one.term.is_guess && !one.term.is_prefix && one.products > 0)
            found.corrections.emplace_back(one.term.text, one.term.folded);
        if (!one.says_nothing) found.wanted.push_back(std::move(one));
    }
    return found;
}

std::vector<Wanted> WantedWords::ask(const std::vector<Term>& terms) {
    const std::vector<Term> merged = with_synonyms(terms);
    read_stems(merged);
    std::vector<Wanted> wanted;
    for (const Term& term : merged)
        wanted.push_back(wanted_of(term));
    drop_absent(wanted);
    count(wanted);
    return wanted;
}

/// The longest phrase that has synonyms is taken, from left to right, and becomes one term.
std::vector<Term> WantedWords::with_synonyms(const std::vector<Term>& terms) {
    std::vector<std::string> asked;
    const auto phrases_from = [&](std::size_t first, const auto& take) {
        const std::size_t most = std::min(catalog::most_synonym_words, terms.size() - first);
        for (std::size_t length = most; length > 0; --length)
            for (std::string& form : forms_of({&terms[first], length}))
                if (take(std::move(form), length)) return;
    };
    for (std::size_t first = 0; first < terms.size(); ++first)
        phrases_from(first, [&](std::string form, std::size_t) { return asked.push_back(std::move(form)), false; });
    const pg::Result rows = db_.query(synonyms_sql, {pg::array_literal(asked)});
    Synonyms same;
    for (int row = 0; row < rows.rows(); ++row)
        same[std::string{rows.text(row, 0)}].emplace_back(rows.text(row, 1));
    std::vector<Term> merged;
    for (std::size_t first = 0; first < terms.size();) {
        std::size_t taken = 1;
        const std::vector<std::string>* synonyms = nullptr;
        phrases_from(first, [&](const std::string& form, std::size_t length) {
            const auto found = same.find(form);
            if (found == same.end()) return false;
            taken = length;
            synonyms = &found->second;
            return true;
        });
        Term& term = merged.emplace_back(joined({&terms[first], taken}));
        for (std::size_t i = 0; synonyms != nullptr && i < synonyms->size(); ++i)
            term.alternatives.push_back(phrase_of((*synonyms)[i]));
        first += taken;
    }
    return merged;
}

void WantedWords::read_stems(const std::vector<Term>& terms) {
    std::set<std::string> words;
    for (const Term& term : terms)
        for (const Alternative& alternative : term.alternatives)
            for (const Spellings& spellings : alternative)
                words.insert(spellings.begin(), spellings.end());
    std::erase_if(words, [&](const std::string& word) { return stems_.contains(word); });
    if (words.empty()) return;
    const pg::Result rows = db_.query(stems_sql, {pg::array_literal({words.begin(), words.end()})});
    for (int row = 0; row < rows.rows(); ++row) {
        const std::string word{rows.text(row, 0)};
        stems_[word] = std::string{rows.text(row, 1)};
        if (rows.boolean(row, 2) || stems_[word].empty()) stop_words_.insert(word);
    }
}

/// Whether a word says something is the written word's to tell, not its spellings'.
Wanted WantedWords::wanted_of(const Term& term) const {
    Wanted wanted{.term = term, .lexemes = {}};
    if (term.is_prefix) {
        wanted.lexemes = {{{term.folded}}};
        return wanted;
    }
    for (std::size_t i = 0; i < term.alternatives.size(); ++i) {
        std::vector<std::vector<std::string>> words;
        for (const Spellings& spellings : term.alternatives[i]) {
            if (stop_words_.contains(spellings.front())) continue;
            std::set<std::string> lexemes;
            for (const std::string& spelling : spellings)
                if (const std::string& stem = stems_.at(spelling); !stem.empty()) lexemes.insert(stem);
            if (!lexemes.empty()) words.emplace_back(lexemes.begin(), lexemes.end());
        }
        if (!words.empty())
            wanted.lexemes.push_back(std::move(words));
        else if (i < term.own_alternatives)
            --wanted.term.own_alternatives;
    }
    wanted.says_nothing = wanted.lexemes.empty();
    return wanted;
}

/// Most spellings of a word are of no product; every product that is ranked would be asked for each.
void WantedWords::drop_absent(std::vector<Wanted>& wanted) {
    std::set<std::string> present;
    for (const Wanted& one : wanted)
        for (const auto& words : one.lexemes)
            for (const auto& spellings : words)
                present.insert(spellings.begin(), spellings.end());
    std::vector<std::string> lexemes{present.begin(), present.end()};
    std::vector<std::string> queries;
    std::ranges::transform(lexemes, std::back_inserter(queries), quoted_lexeme);
    const pg::Result rows = db_.query(present_sql, {pg::array_literal(lexemes), pg::array_literal(queries)});
    present.clear();
    for (int row = 0; row < rows.rows(); ++row)
        present.emplace(rows.text(row, 0));
    for (Wanted& one : wanted) {
        if (one.term.is_prefix) continue;
        Wanted::Lexemes kept;
        const std::size_t own = one.term.own_alternatives;
        for (std::size_t i = 0; i < one.lexemes.size(); ++i) {
            for (auto& spellings : one.lexemes[i])
                std::erase_if(spellings, [&](const std::string& lexeme) { return !present.contains(lexeme); });
            const bool is_possible = std::ranges::none_of(one.lexemes[i], &std::vector<std::string>::empty);
            if (is_possible)
                kept.push_back(std::move(one.lexemes[i]));
            else if (i < own)
                --one.term.own_alternatives;
        }
        one.lexemes = std::move(kept);
    }
}

void WantedWords::count(std::vector<Wanted>& wanted) {
    std::vector<std::string> queries;
    std::vector<Wanted*> counted;
    for (Wanted& one : wanted) {
        one.information = unknown_information;
        if (one.lexemes.empty()) continue;
        counted.push_back(&one);
        queries.push_back(one.tsquery());
    }
    if (queries.empty()) return;
    const std::vector<pg::Statement> statements{
        {.sql = std::string{counts_sql}, .params = {pg::array_literal(queries), std::to_string(most_counted)}},
        {.sql = std::string{total_sql}}};
    const std::vector<pg::Result> results = db_.run_batch(statements);
    std::vector<pg::Statement> estimates;
    std::vector<Wanted*> frequent;
    for (std::size_t i = 0; i < counted.size(); ++i) {
        counted[i]->products = static_cast<std::uint64_t>(results[0].integer(static_cast<int>(i), 0));
        if (counted[i]->products < most_counted) continue;
        frequent.push_back(counted[i]);
        estimates.push_back({.sql = std::string{estimate_sql}, .params = {queries[i]}});
    }
    if (!estimates.empty()) {
        const std::vector<pg::Result> plans = db_.run_batch(estimates);
        for (std::size_t i = 0; i < frequent.size(); ++i)
            frequent[i]->products = std::max(most_counted, rows_of_plan(plans[i].text(0, 0)));
    }
    for (Wanted* one : counted)
        one->information = information_of(one->products, std::max(results[1].real(0, 0), 1.0));
}

/// The word may still be being written.
bool WantedWords::complete(Term& last) {
    if (last.folded.size() < 2) return false;
    Term begun = last;
    begun.is_guess = begun.is_prefix = true;
    begun.alternatives = {{{last.folded}}};
    std::vector<Wanted> wanted{wanted_of(begun)};
    count(wanted);
    if (wanted.front().products == 0) return false;
    last = std::move(begun);
    return true;
}

bool WantedWords::correct(Term& term) {
    const std::optional<std::string> word = lexicon_.nearest(db_, term.folded);
    if (!word) return false;
    term.folded = fold_text(*word);
    term.alternatives = {phrase_of(*word)};
    term.is_guess = true;
    return true;
}

bool WantedWords::change_unknown(std::vector<Term>& terms, const std::vector<Wanted>& wanted, bool is_last_open) {
    bool is_changed = false;
    std::size_t first = 0;
    for (const Wanted& one : wanted) {
        const std::size_t place = std::exchange(first, first + one.term.words);
        if (one.products > 0 || one.says_nothing || one.term.words > 1) continue;
        const bool is_last = place + 1 == terms.size();
        if (is_last && is_last_open && complete(terms[place]))
            is_changed = true;
        else
            is_changed |= correct(terms[place]);
    }
    return is_changed;
}

}  // namespace decant::search::detail
