#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace decant::search::detail {

/// One word of a question.
struct Token {
    std::string_view written;
    std::string_view before;  ///< what stands between it and the word before it
    std::string_view after;   ///< and the word after it
    std::string folded;
    bool is_used = false;  ///< understood: no part of what is searched for
};

inline constexpr std::size_t most_tokens = 64;

/// The first most_tokens words. Views into `question`.
std::vector<Token> tokens_of(std::string_view question);

/// How many tokens from `at` the words of `phrase` (blanks between) are; 0 when they are not these or one is used.
std::size_t match(const std::vector<Token>& tokens, std::size_t at, std::string_view phrase);
/// The longest of several phrases.
template <typename Phrases>
std::size_t match_any(const std::vector<Token>& tokens, std::size_t at, const Phrases& phrases) {
    std::size_t longest = 0;
    for (const std::string_view phrase : phrases)
        longest = std::max(longest, match(tokens, at, phrase));
    return longest;
}

/// The words as they were written.
std::string text_of(const std::vector<Token>& tokens, std::size_t first, std::size_t count);

struct PricePhrase {
    std::size_t length;  ///< tokens
    std::optional<double> from;
    std::optional<double> to;
};

/// What the tokens from `at` on say of a price. "hasta 1500", "between 200 and 300", "$500 o menos"; never of other
/// numbers: "27 pulgadas", "hasta 32gb", "más de 8 núcleos".
std::optional<PricePhrase> price_phrase(const std::vector<Token>& tokens, std::size_t at);

}  // namespace decant::search::detail
