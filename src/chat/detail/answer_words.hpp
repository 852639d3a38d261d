#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace decant::chat::detail {

/// One word of a text with what stands around it. Views into the text.
struct Word {
    std::string_view text;
    std::string folded;       ///< in lower case, without accents
    std::string_view before;  ///< between it and the word before, or the text's beginning
    std::string_view after;

    bool has_digit() const noexcept;
    bool has_letter() const noexcept;
    /// Its first character is a capital.
    bool is_capital() const noexcept;
};
using Words = std::vector<Word>;

/// A point or comma between digits belongs to a word, a hyphen does not.
Words words_in(std::string_view text);

/// `text` with a blank in the place of each emoji and of each byte that is no UTF-8.
std::string without_pictures(std::string_view text);

/// A gap without marks of emphasis.
std::string plain_gap(std::string_view gap);
/// Only blanks and hyphens, on one line.
bool is_narrow(std::string_view gap) noexcept;
/// A sentence, an item or a line may begin behind it.
bool ends_sentence(std::string_view gap) noexcept;

/// As one compares them: without a plural's end. Of a word with digits, a comma as a point.
std::string stem(std::string_view folded);

/// A number as it is written in Spanish or English. Three digits after its only mark are thousands.
struct Figure {
    double value;
    bool has_thousands = false;  ///< marked ones
    std::size_t decimals = 0;
};
std::optional<Figure> figure_in(std::string_view digits);

/// The letters before and after the digits of a word: "usd", "1.500", "" of "usd1.500"; none where it has another form.
struct FigureWord {
    std::string_view prefix;
    Figure figure;
    std::string_view suffix;
};
std::optional<FigureWord> figure_word(std::string_view folded);

}  // namespace decant::chat::detail
