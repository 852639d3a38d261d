#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "chat/detail/known_facts.hpp"

namespace decant::chat::detail {

/// The first name in `text` that no product has: quoted, bold, at the head of an item of a list, before a price, or a
/// capital word in the middle of a sentence.
std::optional<std::string> find_unknown_product(std::string_view text, const KnownFacts& known);

}  // namespace decant::chat::detail
