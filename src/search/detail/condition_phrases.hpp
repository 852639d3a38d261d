#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "search/detail/tokens.hpp"

namespace decant::search::detail {

/// What a few words ask besides price and name.
enum class Condition { stock, sale, featured, cheap, expensive };

struct ConditionPhrase {
    Condition condition;
    std::size_t length;       ///< tokens
    std::size_t lead_in = 0;  ///< tokens before it that belong to it: "lo más", "muy"
    bool stays = false;       ///< it is searched for too
};

/// Of the tokens from `at` on; none of what is denied: "sin stock".
std::optional<ConditionPhrase> condition_phrase(const Tokens& tokens, std::size_t at);

/// What a question starts with and that is not looked for: "quiero una", "show me some". Tokens; 0: none.
std::size_t opening_phrase(const Tokens& tokens, std::size_t at);
/// Courtesies, wherever they stand.
std::size_t courtesy_phrase(const Tokens& tokens, std::size_t at);
/// "hay": said at the beginning it asks for what is in stock.
bool asks_for_stock(const Tokens& tokens, std::size_t at);

/// Words that hang in the air when what followed them was understood: "que", "con", "with".
bool is_joint(std::string_view word);
bool is_and(std::string_view word);

}  // namespace decant::search::detail
