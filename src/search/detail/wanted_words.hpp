#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pg/connection.hpp"
#include "search/detail/lexicon.hpp"
#include "search/detail/question_words.hpp"

namespace decant::search::detail {

/// One term of a question as the index of words is asked for it.
struct Wanted {
    /// Of each alternative's words, the spellings that products have.
    using Lexemes = std::vector<std::vector<std::vector<std::string>>>;

    Term term;
    Lexemes lexemes;
    std::uint64_t products = 0;  ///< that have it, about where they are many
    double information = 0;      ///< what it says, the more the fewer products have it
    bool says_nothing = false;   ///< as "the"

    bool has_synonyms() const noexcept { return lexemes.size() > term.own_alternatives; }
    /// As a tsquery: of all alternatives, or without synonyms; `label` 0: wherever it stands.
    std::string tsquery(char label = 0) const { return tsquery_of(lexemes.size(), label); }
    std::string own_tsquery() const { return tsquery_of(term.own_alternatives, 0); }

private:
    std::string tsquery_of(std::size_t alternatives, char label) const;
};

/// A lexeme as tsquery's text form takes it.
std::string quoted_lexeme(std::string_view lexeme);

/// What is asked of the index for a question: its terms with their synonyms, the last one completed and unknown ones
/// corrected, without words that say nothing. For one question.
class WantedWords {
public:
    WantedWords(pg::Connection& db, Lexicon& lexicon) : db_(db), lexicon_(lexicon) {}

    struct Found {
        std::vector<Wanted> wanted;  ///< in the question's order
        std::vector<std::pair<std::string, std::string>>
            corrections;  ///< the word as written, and what it is taken for
    };
    Found find(std::string_view question);

private:
    using Synonyms = std::map<std::string, std::vector<std::string>>;

    std::vector<Wanted> ask(const std::vector<Term>& terms);
    std::vector<Term> with_synonyms(const std::vector<Term>& terms);
    void read_stems(const std::vector<Term>& terms);
    Wanted wanted_of(const Term& term) const;
    void drop_absent(std::vector<Wanted>& wanted);
    void count(std::vector<Wanted>& wanted);
    bool complete(Term& last);
    bool correct(Term& term);
    bool change_unknown(std::vector<Term>& terms, const std::vector<Wanted>& wanted, bool is_last_open);

    pg::Connection& db_;
    Lexicon& lexicon_;
    std::map<std::string, std::string> stems_;
    std::set<std::string> stop_words_;
};

}  // namespace decant::search::detail
