#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace decant {

/// In lower case and without accents: Latin letters of ISO 8859-1 and Latin Extended-A become a to z; other characters
/// stay, bytes that are no UTF-8 too.
std::string fold_text(std::string_view text);

/// Runs of letters and digits, and of characters that are not ASCII; a point or comma between digits belongs to them.
/// Views into `text`.
std::vector<std::string_view> words_of(std::string_view text);

}  // namespace decant
