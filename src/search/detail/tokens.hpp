#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace decant::search::detail {

/// One word of a question.
struct Token {
    std::string_view written;
    std::string_view before;  ///< what stands between it and the word before it
    std::string_view after;   ///< and the word after it; of the last one all that follows
    std::string folded;
    bool is_used = false;  ///< understood: no part of what is searched for
};
using Tokens = std::vector<Token>;

/// Words and phrases, folded, by the word that they begin with.
class Phrases {
public:
    /// With ", " between them; it must outlive the phrases.
    explicit Phrases(std::string_view list);

    bool has(std::string_view word) const;
    /// Of the longest that begins with the token at `at`: how many tokens it is; 0 where none does.
    std::size_t match(const Tokens& tokens, std::size_t at) const;

private:
    std::unordered_map<std::string_view, std::vector<std::string_view>> by_first_;
};

inline constexpr std::size_t most_tokens = 64;

/// The first most_tokens words. Views into `question`.
Tokens tokens_of(std::string_view question);

/// How many tokens from `at` the words of `phrase` (folded, blanks between) are; 0 when they are not these, or one is
/// used.
std::size_t match(const Tokens& tokens, std::size_t at, std::string_view phrase);
/// How many of the tokens before `at` are among `words`, without a gap and unused.
std::size_t count_before(const Tokens& tokens, std::size_t at, const Phrases& words);

bool is_number(std::string_view word) noexcept;
/// "hi-fi", "in/out": two words that are one.
bool is_joined(std::string_view gap) noexcept;

/// As they were written, with what stands between them.
std::string text_of(const Tokens& tokens, std::size_t first, std::size_t count);
/// What is not used, as it was written.
std::string unused_text(const Tokens& tokens);

}  // namespace decant::search::detail
