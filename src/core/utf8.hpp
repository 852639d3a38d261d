#pragma once

#include <string>
#include <string_view>

namespace decant {

/// `text` with every byte that belongs to no well-formed UTF-8 sequence (RFC 3629: no surrogates, nothing over
/// U+10FFFF, no overlong form) replaced by U+FFFD. For showing; what is stored keeps its bytes.
std::string valid_utf8(std::string_view text);

/// As valid_utf8, with control characters (newline too) as \xNN, so that a text from outside cannot steer a terminal or
/// forge a log line.
std::string printable(std::string_view text);

}  // namespace decant
