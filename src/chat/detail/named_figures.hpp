#pragma once

#include <optional>
#include <string>

#include "chat/detail/answer_words.hpp"
#include "chat/detail/known_facts.hpp"

namespace decant::chat::detail {

/// The number that the word is, or that stands in it, is marked as money, by a sign or a word beside it.
bool has_currency(const Words& words, std::size_t at);

/// The first price, discount, count of stock, or figure that could be one of them, that is not known.
std::optional<std::string> find_unknown_figure(const Words& words, const KnownFacts& known);

}  // namespace decant::chat::detail
