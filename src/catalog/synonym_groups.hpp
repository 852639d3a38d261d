#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace decant::catalog {

/// Words of a phrase that may have synonyms; a question is not looked through for longer ones.
inline constexpr std::size_t most_synonym_words = 4;

/// As synonyms are compared: words in lower case, without accents and punctuation, one blank between them.
std::string synonym_key(std::string_view phrase);

/// Why these words and phrases cannot be a group, for a person; none: they can. A single one can not.
std::optional<std::string> synonym_fault(std::span<const std::string> words);

/// One line of a file of synonyms that has words.
struct SynonymLine {
    std::size_t line = 0;            ///< from 1
    std::vector<std::string> words;  ///< as they are written
    std::optional<std::string> fault = {};
};

/// One group a line, its words divided by commas or equals signs; # starts a comment.
std::vector<SynonymLine> read_synonyms(std::string_view text);

}  // namespace decant::catalog
