#include "search/keyword_search.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>

#include "core/error.hpp"
#include "core/fold_text.hpp"
#include "search/detail/lexicon.hpp"
#include "search/detail/question_words.hpp"

namespace decant::search {
namespace {

using detail::Alternative;
using detail::Spellings;
using detail::Term;

constexpr std::string_view is_there_sql = "SELECT pg_catalog.to_regclass('decant.product_words') IS NOT NULL";

constexpr std::string_view synonyms_sql =
    "SELECT asked.word, same.written FROM decant.synonyms asked JOIN decant.synonyms same USING (group_id) "
    "WHERE asked.word = ANY ($1::text[]) AND same.word <> asked.word ORDER BY 1, 2";

/// Whether a word is one that says nothing is the written word's to tell, not its spellings'.
constexpr std::string_view stems_sql =
    "SELECT w, coalesce(array_to_string(ts_lexize('pg_catalog.spanish_stem', w), ''), ''), "
    "coalesce(ts_lexize('pg_catalog.english_stem', w) = '{}', false) FROM unnest($1::text[]) w";

/// More products than that are not counted: a word that so many have says little.
constexpr std::string_view counts_sql =
    "SELECT (SELECT count(*) FROM (SELECT FROM decant.product_words WHERE words @@ q LIMIT 20000) w) "
    "FROM unnest($1::tsquery[]) WITH ORDINALITY u (q, n) ORDER BY n";
constexpr std::string_view total_sql =
    "SELECT CASE WHEN reltuples > 0 THEN reltuples ELSE (SELECT count(*) FROM decant.product_words) END "
    "FROM pg_catalog.pg_class WHERE oid = 'decant.product_words'::regclass";

/// {0} the score, {1} what a product has of the question's information, {2} the filter, {3} the words of which it must
/// have one, {4} that it has a code, {5} the least information, {6} and {7} hit_columns and hit_joins, {8} the limit.
constexpr std::string_view search_sql = R"sql(
WITH scored AS MATERIALIZED (
    SELECT p.id, {0} AS score, {1} AS information, {4} AS is_code
    FROM decant.product_words w JOIN products p ON p.id = w.product_id
    WHERE (w.words @@ {3} OR {4}) AND {2}),
best AS MATERIALIZED (
    SELECT id, score * (0.5 + 0.5 * information) + CASE WHEN is_code THEN 100 ELSE 0 END AS score FROM scored
    WHERE information >= {5} OR is_code
    ORDER BY 2 DESC, id LIMIT {8}::bigint)
SELECT {6}, best.score FROM best JOIN products p ON p.id = best.id {7} ORDER BY best.score DESC, p.id)sql";

/// What a word is worth by where it stands: name and model, brand and category, description, specifications.
constexpr std::array labels{'A', 'B', 'C', 'D'};
constexpr std::array label_weights{1.0, 0.9, 0.5, 0.45};
/// Of a word that was completed or corrected.
constexpr double guess_weight = 0.8;
constexpr double least_information = 0.5;
/// Of what the rarest word is worth: a word that no product has, as in "quiero comprar una notebook".
constexpr double unknown_share = 0.5;
constexpr std::size_t longest_phrase = 4;

/// One edit of a long word is a misspelling, two of a short one another word. A question of one word with an edit in
/// six letters still has enough to be answered.
double trust_in(const Correction& correction) {
    const std::string written = fold_text(correction.written);
    const std::size_t edits = detail::edits_between(written, correction.taken_for, 2);
    return std::clamp(1.1 - 3.5 * static_cast<double>(edits) / static_cast<double>(written.size()), 0.1, 1.0);
}

/// A lexeme as tsquery's text form takes it.
std::string quoted(std::string_view lexeme) {
    std::string out = "'";
    for (const char c : lexeme) {
        if (c == '\'' || c == '\\') out.push_back(c);
        out.push_back(c);
    }
    return out + "'";
}

/// A term ready to be asked for.
struct Wanted {
    const Term* term;
    std::vector<std::vector<std::vector<std::string>>> lexemes;  ///< of each alternative's words, their spellings
    double weight = 1;
    double trust = 1;  ///< of a correction: less, the more of the word it changed
    std::uint64_t products = 0;
    double information = 0;
    bool is_prefix = false;

    /// As a tsquery; `label` 0: wherever it stands.
    std::string tsquery(char label = 0) const {
        std::string query;
        for (const auto& words : lexemes) {
            std::string all;
            for (const auto& spellings : words) {
                std::string any;
                for (const std::string& lexeme : spellings)
                    any += fmt::format("{}{}{}", any.empty() ? "" : " | ", quoted(lexeme), suffix(label));
                all += fmt::format("{}({})", all.empty() ? "" : " & ", any);
            }
            query += fmt::format("{}({})", query.empty() ? "" : " | ", all);
        }
        return query;
    }

private:
    std::string suffix(char label) const {
        std::string out = is_prefix || label != 0 ? ":" : "";
        if (is_prefix) out += '*';
        if (label != 0) out += label;
        return out;
    }
};

class Search {
public:
    Search(pg::Connection& db, detail::Lexicon& lexicon, const KeywordQuery& query)
        : db_(db), lexicon_(lexicon), query_(query), terms_(detail::terms_of(query.text)) {}

    KeywordAnswer run() {
        const BoundFilter filter = bind(db_, query_.filter);
        find_codes();
        add_synonyms();
        make_wanted();
        answer_.has_words = !wanted_.empty() || !codes_.empty();
        if (!answer_.has_words) return std::move(answer_);
        weigh();
        search(filter);
        return std::move(answer_);
    }

private:
    using Synonyms = std::map<std::string, std::vector<std::string>>;

    /// The whole question may be a sku with blanks in it.
    void find_codes() {
        std::set<std::string> codes;
        for (const std::string_view piece : pieces()) {
            if (std::string code = detail::code_of(piece); !code.empty()) codes.insert("#" + std::move(code));
        }
        codes_.assign(codes.begin(), codes.end());
    }

    std::vector<std::string_view> pieces() const {
        std::vector<std::string_view> out{query_.text};
        for (std::string_view rest = query_.text; !rest.empty() && out.size() <= detail::most_terms;) {
            const std::size_t end = std::min(rest.find_first_of(" \t\n"), rest.size());
            if (end > 0) out.push_back(rest.substr(0, end));
            rest.remove_prefix(std::min(end + 1, rest.size()));
        }
        return out;
    }

    std::string phrase(std::size_t first, std::size_t length) const {
        std::string out;
        for (std::size_t i = first; i < first + length; ++i)
            out += (out.empty() ? "" : " ") + terms_[i].folded;
        return out;
    }

    /// The phrase as it stands; of a single word its singular and plural too.
    Spellings forms(std::size_t first, std::size_t length) const {
        Spellings forms{phrase(first, length)};
        if (length > 1) return forms;
        for (const std::string& spelling : detail::spellings_of(terms_[first].folded))
            forms.push_back(fold_text(spelling));
        return forms;
    }

    /// The longest phrase that has synonyms is taken, from left to right, and becomes one term.
    void add_synonyms() {
        std::vector<std::string> asked;
        for (std::size_t first = 0; first < terms_.size(); ++first) {
            for (std::size_t length = 1; length <= longest_phrase && first + length <= terms_.size(); ++length)
                std::ranges::move(forms(first, length), std::back_inserter(asked));
        }
        const pg::Result rows = db_.query(synonyms_sql, {pg::array_literal(asked)});
        Synonyms same;
        for (int row = 0; row < rows.rows(); ++row)
            same[std::string{rows.text(row, 0)}].emplace_back(rows.text(row, 1));
        if (same.empty()) return;
        std::vector<Term> merged;
        for (std::size_t first = 0; first < terms_.size();) {
            const auto [length, synonyms] = longest_with_synonyms(first, same);
            merged.push_back(term_of(first, length, synonyms));
            first += length;
        }
        terms_ = std::move(merged);
    }

    std::pair<std::size_t, const std::vector<std::string>*> longest_with_synonyms(std::size_t first,
                                                                                  const Synonyms& same) const {
        for (std::size_t length = std::min(longest_phrase, terms_.size() - first); length > 0; --length) {
            for (const std::string& form : forms(first, length)) {
                const auto found = same.find(form);
                if (found != same.end()) return {length, &found->second};
            }
        }
        return {1, nullptr};
    }

    Term term_of(std::size_t first, std::size_t length, const std::vector<std::string>* synonyms) {
        Term term = std::move(terms_[first]);
        for (std::size_t i = first + 1; i < first + length; ++i) {
            term.text += " " + terms_[i].text;
            term.folded += " " + terms_[i].folded;
        }
        if (length > 1) term.alternatives = {detail::phrase_of(term.text)};
        if (synonyms == nullptr) return term;
        for (const std::string& synonym : *synonyms)
            term.alternatives.push_back(detail::phrase_of(synonym));
        return term;
    }

    void read_stems(const std::vector<Term>& terms) {
        std::set<std::string> words;
        for (const Term& term : terms) {
            for (const Alternative& alternative : term.alternatives)
                for (const Spellings& spellings : alternative)
                    words.insert(spellings.begin(), spellings.end());
        }
        std::erase_if(words, [&](const std::string& word) { return stems_.contains(word); });
        if (words.empty()) return;
        const pg::Result rows = db_.query(stems_sql, {pg::array_literal({words.begin(), words.end()})});
        for (int row = 0; row < rows.rows(); ++row) {
            const std::string word{rows.text(row, 0)};
            stems_[word] = std::string{rows.text(row, 1)};
            if (rows.boolean(row, 2) || stems_[word].empty()) stop_words_.insert(word);
        }
    }

    /// None where the term says nothing.
    std::optional<Wanted> wanted_of(const Term& term) const {
        Wanted wanted{.term = &term, .lexemes = {}};
        for (const Alternative& alternative : term.alternatives) {
            std::vector<std::vector<std::string>> words;
            for (const Spellings& spellings : alternative) {
                if (stop_words_.contains(spellings.front())) continue;
                std::set<std::string> lexemes;
                for (const std::string& spelling : spellings)
                    if (const std::string& stem = stems_.at(spelling); !stem.empty()) lexemes.insert(stem);
                if (!lexemes.empty()) words.emplace_back(lexemes.begin(), lexemes.end());
            }
            if (!words.empty()) wanted.lexemes.push_back(std::move(words));
        }
        return wanted.lexemes.empty() ? std::nullopt : std::optional{std::move(wanted)};
    }

    void make_wanted() {
        read_stems(terms_);
        for (const Term& term : terms_)
            if (auto wanted = wanted_of(term)) wanted_.push_back(std::move(*wanted));
        count(wanted_);
        complete_last();
        correct_unknown();
    }

    void count(std::span<Wanted> wanted) {
        std::vector<std::string> queries;
        for (const Wanted& one : wanted)
            queries.push_back(one.tsquery());
        if (queries.empty()) return;
        const std::vector<pg::Statement> statements{
            {.sql = std::string{counts_sql}, .params = {pg::array_literal(queries)}}, {.sql = std::string{total_sql}}};
        const std::vector<pg::Result> results = db_.run_batch(statements);
        for (std::size_t i = 0; i < wanted.size(); ++i)
            wanted[i].products = static_cast<std::uint64_t>(results[0].integer(static_cast<int>(i), 0));
        total_ = std::max(results[1].real(0, 0), 1.0);
    }

    /// The last word may still be being written.
    void complete_last() {
        if (wanted_.empty() || wanted_.back().products > 0 || terms_.empty() || wanted_.back().term != &terms_.back() ||
            query_.text.ends_with(' ') || terms_.back().folded.size() < 2) {
            return;
        }
        Wanted& last = wanted_.back();
        const auto lexemes = last.lexemes;
        last.lexemes = {{{terms_.back().folded}}};
        last.is_prefix = true;
        last.weight = guess_weight;
        count({&last, 1});
        if (last.products > 0) return;
        last.lexemes = lexemes;
        last.is_prefix = false;
        last.weight = 1;
    }

    void correct_unknown() {
        for (Wanted& one : wanted_) {
            if (one.products > 0 || one.term->folded.find(' ') != std::string::npos) continue;
            const std::optional<std::string> word = lexicon_.nearest(db_, one.term->folded);
            if (!word) continue;
            // The word that it stands for may have synonyms of its own; it is enough that it is itself there.
            corrected_.push_back(std::make_unique<Term>(
                Term{.text = *word, .folded = *word, .alternatives = {detail::phrase_of(*word)}}));
            read_stems({*corrected_.back()});
            auto better = wanted_of(*corrected_.back());
            if (!better) continue;
            count({&*better, 1});
            if (better->products == 0) continue;
            answer_.corrections.push_back({.written = one.term->text, .taken_for = *word});
            one = std::move(*better);
            one.weight = guess_weight;
            one.trust = trust_in(answer_.corrections.back());
        }
    }

    double information_of(std::uint64_t products) const {
        const auto with = static_cast<double>(products);
        return std::log(1 + (std::max(total_ - with, 0.0) + 0.5) / (with + 0.5));
    }

    void weigh() {
        for (Wanted& one : wanted_)
            one.information = information_of(one.products) * (one.products == 0 ? unknown_share : 1);
        for (const Wanted& one : wanted_)
            whole_ += one.information;
        std::erase_if(wanted_, [](const Wanted& one) { return one.products == 0; });
        std::ranges::stable_sort(wanted_, std::greater{}, &Wanted::information);
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

    void search(const BoundFilter& filter) {
        std::vector<pg::Param> params = filter.params;
        const auto add = [&](std::string value) {
            params.emplace_back(std::move(value));
            return fmt::format("${}", params.size());
        };
        std::string score = "0.0";
        std::string information = "0.0";
        for (const Wanted& one : wanted_) {
            std::string cases;
            for (std::size_t i = 0; i < labels.size(); ++i) {
                cases +=
                    fmt::format(" WHEN w.words @@ {}::tsquery THEN {}", add(one.tsquery(labels[i])), label_weights[i]);
            }
            const std::string share = add(fmt::format("{}", one.trust * one.information / whole_));
            score += fmt::format(" + {}::float8 * {} * CASE{} ELSE 0.0 END", share,
                                 add(fmt::format("{}", one.weight)) + "::float8", cases);
            information += fmt::format(" + CASE WHEN w.words @@ {}::tsquery THEN {}::float8 ELSE 0.0 END",
                                       add(one.tsquery()), share);
        }
        const std::string any = add(needed()) + "::tsquery";
        std::string codes;
        for (const std::string& code : codes_)
            codes += (codes.empty() ? "" : " | ") + quoted(code);
        const std::string is_code = fmt::format("w.words @@ {}::tsquery", add(codes));
        pg::Statement statement{
            .sql = fmt::format(search_sql, score, information, filter.condition, any, is_code, least_information,
                               hit_columns, hit_joins, add(std::to_string(query_.limit))),
            .params = std::move(params)};
        take(statement);
    }

    void take(pg::Statement& statement) {
        std::vector<pg::Statement> statements;
        if (query_.explains)
            statements.push_back(
                {.sql = "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) " + statement.sql, .params = statement.params});
        statements.push_back(std::move(statement));
        const std::vector<pg::Result> results = db_.run_batch(statements);
        for (int row = 0; query_.explains && row < results.front().rows(); ++row)
            answer_.plan += std::string{results.front().text(row, 0)} + "\n";
        const pg::Result& rows = results.back();
        for (int row = 0; row < rows.rows(); ++row)
            answer_.hits.emplace_back(read_hit(rows, row)).score = rows.real(row, hit_column_count);
    }

    pg::Connection& db_;
    detail::Lexicon& lexicon_;
    const KeywordQuery& query_;
    std::vector<Term> terms_;
    std::vector<std::unique_ptr<Term>> corrected_;
    std::vector<std::string> codes_;
    std::map<std::string, std::string> stems_;
    std::set<std::string> stop_words_;
    std::vector<Wanted> wanted_;
    double total_ = 1;
    double whole_ = 0;  ///< information of the question, of words that no product has too
    KeywordAnswer answer_;
};

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
    return Search{db_, *lexicon_, query}.run();
}

}  // namespace decant::search
