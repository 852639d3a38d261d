#include "search/keyword_search.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/error.hpp"
#include "core/utf8.hpp"
#include "search/detail/lexicon.hpp"
#include "search/detail/question_words.hpp"
#include "search/detail/wanted_words.hpp"

namespace decant::search {
namespace {

using detail::Wanted;

constexpr std::string_view is_there_sql =
    "SELECT pg_catalog.to_regclass('decant.product_words') IS NOT NULL "
    "AND pg_catalog.to_regclass('decant.synonyms') IS NOT NULL";

/// {0} the weight of each word's place, {1} the words that a product must have, {2} that it has a code, {3} the score,
/// {4} what of the question's information it has, {5} the least of it, {6} the filter, {7} limit and offset, {8} and
/// {9} hit_columns and hit_joins, {10} how many there are. Products are read in the order of their scores, until there
/// are enough: most that have a frequent word are never looked at.
constexpr std::string_view search_sql = R"sql(
WITH candidates AS MATERIALIZED (
    SELECT w.product_id, {0} {2} AS is_code, pg_catalog.length(w.words) AS size
    FROM decant.product_words w WHERE w.words @@ {1}),
scored AS MATERIALIZED (SELECT product_id, {3} AS score, {4} AS information, is_code, size FROM candidates),
ranked AS (
    SELECT product_id, is_code, score * (0.5 + 0.5 * information) - 0.0001 * least(size, 100)
                           + CASE WHEN is_code THEN 100 ELSE 0 END AS score
    FROM scored WHERE information > {5} OR is_code
    ORDER BY 3 DESC, product_id OFFSET 0)
SELECT {8}, ranked.score, ranked.is_code, {10}
FROM ranked JOIN products p ON p.id = ranked.product_id {9}
WHERE {6} ORDER BY ranked.score DESC, ranked.product_id LIMIT {7})sql";
constexpr std::string_view count_sql = "count(*) OVER ()";
constexpr std::string_view no_count_sql = "0";

/// What a word is worth by where it stands: name and model, brand and category, description, specifications.
constexpr std::array labels{'A', 'B', 'C', 'D'};
constexpr std::array label_weights{1.0, 0.9, 0.5, 0.45};
/// A product that has a word only in a text about it is less surely what was asked for.
constexpr double text_information = 0.8;
constexpr double synonym_weight = 0.95;
/// Of a word that was completed or corrected.
constexpr double guess_weight = 0.8;
constexpr double guess_information = 0.6;
/// Of a product that has not all words: it stands after those that have them, even if only in a text.
constexpr double some_words_weight = 0.4;
constexpr double least_information = 0.45;
constexpr std::size_t most_text = 2'000;

/// Writes the statement of one search; every value becomes a parameter.
class SearchStatement {
public:
    SearchStatement(std::vector<Wanted> wanted, const BoundFilter& filter)
        : wanted_(std::move(wanted)), filter_(filter) {
        double rarest = 0;
        for (const Wanted& one : wanted_)
            if (one.products > 0) rarest = std::max(rarest, one.information);
        // A word that no product has may be the very thing that is asked for: "yerba mate" is not about a board named
        // MATE.
        for (const Wanted& one : wanted_)
            whole_ += one.products > 0 ? one.information : std::max(one.information, rarest);
        std::erase_if(wanted_, [](const Wanted& one) { return one.products == 0; });
        std::ranges::stable_sort(wanted_, std::greater{}, &Wanted::information);
    }

    enum class Needs { all_words, enough_words };

    pg::Statement make(const KeywordQuery& query, const std::vector<std::string>& codes, Needs needs) const {
        std::vector<pg::Param> params = filter_.params;
        const auto add = [&](std::string value) {
            params.emplace_back(std::move(value));
            return fmt::format("${}", params.size());
        };
        std::string places;
        std::string score = "0.0";
        std::string information = "0.0";
        for (std::size_t i = 0; i < wanted_.size(); ++i) {
            const Wanted& one = wanted_[i];
            const std::string share = add(fmt::format("{}", one.information / whole_)) + "::float8";
            places += fmt::format("{} AS place{}, ", place_of(one, add), i);
            score += fmt::format(" + {} * {} * place{}", share, one.term.is_guess ? guess_weight : 1.0, i);
            information +=
                fmt::format(" + {0} * {1} * CASE WHEN place{2} >= 0.8 THEN 1.0 WHEN place{2} > 0 THEN {3} ELSE 0.0 END",
                            share, one.term.is_guess ? guess_information : 1.0, i, text_information);
        }
        std::string has_all = wanted_.size() > 1 ? "place0 > 0" : "true";
        for (std::size_t i = 1; i < wanted_.size(); ++i)
            has_all += fmt::format(" AND place{} > 0", i);
        score = fmt::format("({}) * CASE WHEN {} THEN 1.0 ELSE {} END", score, has_all, some_words_weight);
        std::string any_code;
        for (const std::string& code : codes)
            any_code += (any_code.empty() ? "" : " | ") + detail::quoted_lexeme("#" + code);
        std::string any = needs == Needs::all_words ? all() : enough();
        if (!any_code.empty()) any = any.empty() ? any_code : fmt::format("({}) | {}", any, any_code);
        const std::string is_code =
            any_code.empty() ? "false" : fmt::format("w.words @@ {}::tsquery", add(std::move(any_code)));
        const std::string any_word = fmt::format("{}::tsquery", add(std::move(any)));
        const std::string limit = fmt::format("{}::bigint OFFSET {}::bigint", add(std::to_string(query.limit)),
                                              add(std::to_string(query.offset)));
        return {.sql = fmt::format(search_sql, places, any_word, is_code, score, information, least_information,
                                   filter_.condition, limit, hit_columns, hit_joins,
                                   query.counts ? count_sql : no_count_sql),
                .params = std::move(params)};
    }

    std::size_t words() const noexcept { return wanted_.size(); }

private:
    template <typename Add>
    static std::string place_of(const Wanted& one, const Add& add) {
        std::string cases = "CASE";
        for (std::size_t i = 0; i < labels.size(); ++i)
            cases += fmt::format(" WHEN w.words @@ {}::tsquery THEN {}", add(one.tsquery(labels[i])), label_weights[i]);
        cases += " ELSE 0.0 END";
        if (one.has_synonyms() && one.term.own_alternatives > 0)
            cases += fmt::format(" * CASE WHEN w.words @@ {}::tsquery THEN 1.0 ELSE {} END", add(one.own_tsquery()),
                                 synonym_weight);
        return cases;
    }

    std::string all() const {
        std::string query;
        for (const Wanted& one : wanted_)
            query += fmt::format("{}({})", query.empty() ? "" : " & ", one.tsquery());
        return query;
    }

    /// Without one of the rarest words a product cannot have enough of the question.
    std::string enough() const {
        double rest = 0;
        for (const Wanted& one : wanted_)
            rest += one.information;
        std::string query;
        for (const Wanted& one : wanted_) {
            query += (query.empty() ? "" : " | ") + one.tsquery();
            rest -= one.information;
            if (rest < least_information * whole_) break;
        }
        return query;
    }

    std::vector<Wanted> wanted_;  ///< that products have, the rarest first
    const BoundFilter& filter_;
    double whole_ = 0;  ///< information of the question, of words that no product has too
};

void read_hits(const pg::Result& rows, KeywordAnswer& answer) {
    answer.hits.clear();
    for (int row = 0; row < rows.rows(); ++row)
        answer.hits.emplace_back(read_hit(rows, row)).score = rows.real(row, hit_column_count);
    if (rows.empty()) return;
    answer.has_code = rows.boolean(0, hit_column_count + 1);
    answer.matched = static_cast<std::uint64_t>(rows.integer(0, hit_column_count + 2));
}

std::string searchable(std::string_view text) {
    if (text.find('\0') != std::string_view::npos) {
        throw Error{ErrorCode::request_invalid, "The text that is searched for has a character U+0000",
                    "Leave it out: PostgreSQL holds no text with it."};
    }
    return valid_utf8(first_characters(text, most_text));
}

}  // namespace

WordSearcher::WordSearcher(pg::Connection& db) : db_(db), lexicon_(std::make_unique<detail::Lexicon>()) {
    if (!db.exec(is_there_sql).boolean(0, 0)) {
        throw Error{
            ErrorCode::not_found,
            fmt::format("Database '{}' has no table decant.product_words, which is searched for words", db.database()),
            "Make it with `decant schema up`."};
    }
}

WordSearcher::WordSearcher(WordSearcher&&) noexcept = default;
WordSearcher::~WordSearcher() = default;

KeywordAnswer WordSearcher::find(const KeywordQuery& query) {
    const std::string text = searchable(query.text);
    const BoundFilter filter = bind(db_, query.filter);
    const std::vector<std::string> codes = detail::codes_of(text);
    using Needs = SearchStatement::Needs;
    KeywordAnswer answer;
    // Who gives a sku alone wants nothing else.
    if (codes.size() == 1 && text.find(' ') == std::string::npos) {
        ask(SearchStatement{{}, filter}.make(query, codes, Needs::enough_words), query.explains, answer);
        if (answer.has_code) return answer;
    }
    detail::WantedWords::Found found = detail::WantedWords{db_, *lexicon_}.find(text);
    for (auto& [written, taken_for] : found.corrections)
        answer.corrections.push_back({.written = std::move(written), .taken_for = std::move(taken_for)});
    answer.has_words = !found.wanted.empty();
    const SearchStatement statement{std::move(found.wanted), filter};
    if (statement.words() == 0 && codes.empty()) return answer;
    if (statement.words() > 1 && !query.counts) {
        ask(statement.make(query, codes, Needs::all_words), query.explains, answer);
        if (answer.hits.size() == query.limit) return answer;
    }
    ask(statement.make(query, codes, Needs::enough_words), query.explains, answer);
    return answer;
}

void WordSearcher::ask(pg::Statement statement, bool explains, KeywordAnswer& answer) {
    std::vector<pg::Statement> statements;
    if (explains)
        statements.push_back(
            {.sql = "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) " + statement.sql, .params = statement.params});
    statements.push_back(std::move(statement));
    const std::vector<pg::Result> results = db_.run_batch(statements);
    answer.plan.clear();
    for (int row = 0; explains && row < results.front().rows(); ++row)
        answer.plan += std::string{results.front().text(row, 0)} + "\n";
    read_hits(results.back(), answer);
}

}  // namespace decant::search
