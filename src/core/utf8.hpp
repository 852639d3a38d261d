#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace decant {

/// Bytes of the character that `text`, which is not empty, starts with; 0 where none does: RFC 3629, so no surrogates,
/// nothing over U+10FFFF, no overlong form.
constexpr std::size_t utf8_length(std::string_view text) noexcept {
    const auto is_between = [text](std::size_t at, unsigned low, unsigned high) {
        return at < text.size() && static_cast<unsigned char>(text[at]) >= low &&
               static_cast<unsigned char>(text[at]) <= high;
    };
    const unsigned first = static_cast<unsigned char>(text[0]);
    if (first < 0x80) return 1;
    if (first < 0xc2 || first > 0xf4) return 0;
    if (first < 0xe0) return is_between(1, 0x80, 0xbf) ? 2 : 0;
    if (!is_between(2, 0x80, 0xbf)) return 0;
    if (first < 0xf0) return is_between(1, first == 0xe0 ? 0xa0 : 0x80, first == 0xed ? 0x9f : 0xbf) ? 3 : 0;
    if (!is_between(3, 0x80, 0xbf)) return 0;
    return is_between(1, first == 0xf0 ? 0x90 : 0x80, first == 0xf4 ? 0x8f : 0xbf) ? 4 : 0;
}

/// U+FFFD.
inline constexpr std::string_view replacement_character = "\xEF\xBF\xBD";

/// `text` with every byte that belongs to no well-formed UTF-8 sequence replaced by U+FFFD. For showing; what is stored
/// keeps its bytes.
std::string valid_utf8(std::string_view text);

/// As valid_utf8, with control characters (newline too) as \xNN, so that a text from outside cannot steer a terminal or
/// forge a log line.
std::string printable(std::string_view text);

/// Characters of well-formed UTF-8.
std::size_t count_characters(std::string_view text) noexcept;

/// The first `most` characters of `text`; a byte that belongs to no character counts as one.
std::string_view first_characters(std::string_view text, std::size_t most);

}  // namespace decant
