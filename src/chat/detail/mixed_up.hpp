#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "chat/detail/known_facts.hpp"

namespace decant::chat::detail {

/// The first price or stock that is another product's than the one whose whole name its line has, or a line above where
/// its own is a label ("Precio: $100").
std::optional<std::string> find_mixed_up(std::string_view text, const KnownFacts& known);

}  // namespace decant::chat::detail
