#pragma once

#include <string>
#include <string_view>

namespace decant {

/// `text` as one word of a shell command that a message proposes: as it is where it is plain, else in single quotes.
std::string shell_word(std::string_view text);

}  // namespace decant
