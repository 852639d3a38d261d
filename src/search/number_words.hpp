#pragma once

#include <optional>
#include <string_view>

namespace decant::search {

/// "dos", "twenty", "quinientos": a number in one word, Spanish or English, in lower case without accents. None for
/// other words, as for articles ("un") and what multiplies ("hundred", "mil").
std::optional<double> number_word(std::string_view folded) noexcept;

}  // namespace decant::search
