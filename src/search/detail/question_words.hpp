#pragma once

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
};

Spellings spellings_of(std::string_view word);

/// The words of the question in their order, numbers with the unit that follows. At most `most_terms`.
std::vector<Term> terms_of(std::string_view question);
inline constexpr std::size_t most_terms = 16;

/// An alternative of the words of a phrase.
Alternative phrase_of(std::string_view phrase);

/// In capitals, without punctuation, as skus, models and barcodes are compared; empty for a word without a digit.
std::string code_of(std::string_view word);

/// Changes of one character, or of two that change places, that make one of two words the other; `most` + 1 for more.
std::size_t edits_between(std::string_view a, std::string_view b, std::size_t most);

}  // namespace decant::search::detail
