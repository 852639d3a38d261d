#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace decant {

/// The candidate that `word` was probably meant to be: fewest edits (insert, delete, replace, swap of neighbours),
/// at most a third of the length and at least one. None when nothing is that near.
std::optional<std::string> nearest(std::string_view word, std::span<const std::string> candidates);

}  // namespace decant
