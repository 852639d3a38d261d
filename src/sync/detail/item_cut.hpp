#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace decant::sync::detail {

/// An answer that is no JSON as a whole, in parts, so that what is wrong with one item costs no other.
struct CutAnswer {
    std::string frame;                    ///< the answer with an empty list
    std::vector<std::string_view> items;  ///< views into the answer
};

/// Cuts at the commas of the list that `names` call it by; strings and brackets are told apart, nothing else is read.
/// None where there is no such list, or no end of it.
std::optional<CutAnswer> cut_items(std::string_view answer, const std::vector<std::string_view>& names);

/// U+FFFD.
inline constexpr std::string_view mended_character = "\xEF\xBF\xBD";

/// The item with U+FFFD for bytes that are no UTF-8 and for halves of surrogate pairs, and null for numbers that no
/// double holds: good for telling which item it is, not for its values.
std::string mended_item(std::string_view item);

}  // namespace decant::sync::detail
