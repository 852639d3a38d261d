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

/// {0} the weight of each word's place, {1} the words of which a product must have one, {2} that it has a code, {3} the
/// filter, {4} the score, {5} what of the question's information it has, {6} the least of it, {7} and {8} limit and
/// offset, {9} and {10} hit_columns and hit_joins.
constexpr std::string_view search_sql = R"sql(
WITH candidates AS MATERIALIZED (
    SELECT p.id, {0} {2} AS is_code, pg_catalog.length(w.words) AS size
    FROM decant.product_words w JOIN products p ON p.id = w.product_id
    WHERE w.words @@ {1} AND {3}),
scored AS MATERIALIZED (SELECT id, {4} AS score, {5} AS information, is_code, size FROM candidates),
best AS MATERIALIZED (
    SELECT id, is_code, score * (0.5 + 0.5 * information) - 0.0001 * least(size, 100)
                   + CASE WHEN is_code THEN 100 ELSE 0 END AS score, count(*) OVER () AS matched
    FROM scored WHERE information > {6} OR is_code
    ORDER BY 3 DESC, id LIMIT {7}::bigint OFFSET {8}::bigint)
SELECT {9}, best.score, best.matched, best.is_code
FROM best JOIN products p ON p.id = best.id {10} ORDER BY best.score DESC, p.id)sql";

/// What a word is worth by where it stands: name and model, brand and category, description, specifications.
constexpr std::array labels{'A', 'B', 'C', 'D'};
constexpr std::array label_weights{1.0, 0.9, 0.5, 0.45};
/// A product that has a word only in a text about it is less surely what was asked for.
constexpr double text_information = 0.8;
constexpr double synonym_weight = 0.95;
/// Of a word that was completed or corrected.
constexpr double guess_weight = 0.8;
constexpr double guess_information = 0.6;
constexpr double least_information = 0.5;
constexpr std::size_t most_text = 2'000;

/// Writes the statement of one search; every value becomes a parameter.
class SearchStatement {
public:
    SearchStatement(std::vector<Wanted>& wanted, const BoundFilter& filter) : wanted_(wanted), params_(filter.params) {
        double rarest = 0;
        for (const Wanted& one : wanted_)
            if (one.products > 0) rarest = std::max(rarest, one.information);
        // A word that no product has may be the very thing that is asked for: "yerba mate" is about no board named
        // MATE.
        for (const Wanted& one : wanted_)
            whole_ += one.products > 0 ? one.information : std::max(one.information, rarest);
        std::erase_if(wanted_, [](const Wanted& one) { return one.products == 0; });
        std::ranges::stable_sort(wanted_, std::greater{}, &Wanted::information);
    }

    pg::Statement make(const KeywordQuery& query, const std::vector<std::string>& codes, const std::string& condition) {
        std::string places;
        std::string score = "0.0";
        std::string information = "0.0";
        for (std::size_t i = 0; i < wanted_.size(); ++i) {
            const Wanted& one = wanted_[i];
            const std::string share = fmt::format("{}::float8", add(fmt::format("{}", one.information / whole_)));
            places += fmt::format("{} AS place{}, ", place_of(one), i);
            score += fmt::format(" + {} * {} * place{}", share, one.term.is_guess ? guess_weight : 1.0, i);
            information +=
                fmt::format(" + {} * {} * CASE WHEN place{} >= 0.8 THEN 1.0 WHEN place{} > 0 THEN {} ELSE 0.0 END",
                            share, one.term.is_guess ? guess_information : 1.0, i, i, text_information);
        }
        std::string any_code;
        for (const std::string& code : codes)
            any_code += (any_code.empty() ? "" : " | ") + detail::quoted_lexeme("#" + code);
        const std::string any = needed() + (any_code.empty() || wanted_.empty() ? "" : " | ") + any_code;
        const std::string is_code =
            any_code.empty() ? "false" : fmt::format("w.words @@ {}::tsquery", add(std::move(any_code)));
        const std::string any_word = fmt::format("{}::tsquery", add(any));
        const std::string limit = add(std::to_string(query.limit));
        const std::string offset = add(std::to_string(query.offset));
        return {.sql = fmt::format(search_sql, places, any_word, is_code, condition, score, information,
                                   least_information, limit, offset, hit_columns, hit_joins),
                .params = std::move(params_)};
    }

private:
    std::string add(std::string value) {
        params_.emplace_back(std::move(value));
        return fmt::format("${}", params_.size());
    }

    std::string place_of(const Wanted& one) {
        std::string cases = "CASE";
        for (std::size_t i = 0; i < labels.size(); ++i)
            cases += fmt::format(" WHEN w.words @@ {}::tsquery THEN {}", add(one.tsquery(labels[i])), label_weights[i]);
        cases += " ELSE 0.0 END";
        if (one.has_synonyms() && one.term.own_alternatives > 0)
            cases += fmt::format(" * CASE WHEN w.words @@ {}::tsquery THEN 1.0 ELSE {} END", add(one.own_tsquery()),
                                 synonym_weight);
        return cases;
    }

    /// Without one of the rarest words a product cannot have enough of the question.
    std::string needed() const {
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

    std::vector<Wanted>& wanted_;
    std::vector<pg::Param> params_;
    double whole_ = 0;  ///< information of the question, of words that no product has too
};

void read_hits(const pg::Result& rows, KeywordAnswer& answer) {
    for (int row = 0; row < rows.rows(); ++row)
        answer.hits.emplace_back(read_hit(rows, row)).score = rows.real(row, hit_column_count);
    if (rows.empty()) return;
    answer.matched = static_cast<std::uint64_t>(rows.integer(0, hit_column_count + 1));
    answer.has_code = rows.boolean(0, hit_column_count + 2);
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
    detail::WantedWords::Found found = detail::WantedWords{db_, *lexicon_}.find(text);
    KeywordAnswer answer;
    for (auto& [written, taken_for] : found.corrections)
        answer.corrections.push_back({.written = std::move(written), .taken_for = std::move(taken_for)});
    answer.has_words = !found.wanted.empty();
    pg::Statement statement = SearchStatement{found.wanted, filter}.make(query, codes, filter.condition);
    if (found.wanted.empty() && codes.empty()) return answer;
    std::vector<pg::Statement> statements;
    if (query.explains)
        statements.push_back(
            {.sql = "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) " + statement.sql, .params = statement.params});
    statements.push_back(std::move(statement));
    const std::vector<pg::Result> results = db_.run_batch(statements);
    for (int row = 0; query.explains && row < results.front().rows(); ++row)
        answer.plan += std::string{results.front().text(row, 0)} + "\n";
    read_hits(results.back(), answer);
    return answer;
}

}  // namespace decant::search
