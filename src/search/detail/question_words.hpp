#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace decant::search::detail {

/// The spellings under which one word may stand in a product: as written, without accents, as singular and plural of
/// Spanish and English.
using Spellings = std::vector<std::string>;

/// Words that must all be there.
using Alternative = std::vector<Spellings>;

/// One thing that the question says; a product has it when it has one of the alternatives.
struct Term {
    std::string text;    ///< as written
    std::string folded;  ///< for synonyms; of several words with blanks between
    std::vector<Alternative> alternatives;
    std::size_t own_alternatives = alternatives.size();  ///< so many are the words themselves, the others synonyms
    std::size_t words = 1;                               ///< terms that were joined into this one
    bool is_guess = false;                               ///< a beginning that was completed, or a corrected word
    bool is_prefix = false;
};

Spellings spellings_of(std::string_view word);

/// The words of the question in their order, each once, numbers with the unit that follows. At most `most_terms`; of a
/// longer word its first `most_letters` bytes.
std::vector<Term> terms_of(std::string_view question);
inline constexpr std::size_t most_terms = 16;
inline constexpr std::size_t most_letters = 60;

/// An alternative of the words of a phrase.
Alternative phrase_of(std::string_view phrase);

/// What the terms may be among the synonyms: as they stand, and as singular or plural.
std::vector<std::string> forms_of(std::span<const Term> terms);

/// The terms as one, without synonyms.
Term joined(std::span<const Term> terms);

/// In capitals, without punctuation, as skus, models and barcodes are compared; empty for what is too short for one.
std::string code_of(std::string_view word);

/// The codes that a question may name: its words that have a digit, and all of it, as a sku may have blanks in it.
std::vector<std::string> codes_of(std::string_view question);

/// Changes of one character, or of two that change places, that make one of two words the other; `most` + 1 for more.
std::size_t edits_between(std::string_view a, std::string_view b, std::size_t most);

}  // namespace decant::search::detail
