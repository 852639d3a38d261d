#include "core/utf8.hpp"

#include <algorithm>
#include <cstdint>

#include <fmt/format.h>

namespace decant {
namespace {

bool is_between(std::string_view first, std::string_view character, std::string_view last) {
    return character.size() == first.size() && first <= character && character <= last;
}

/// What moves a terminal's cursor or turns the reading direction: C0, DEL, C1, U+2028..U+202E, U+2066..U+2069.
bool is_control(std::string_view character) {
    if (character.size() == 1) return static_cast<unsigned char>(character[0]) < 0x20 || character[0] == 0x7F;
    return is_between("\xC2\x80", character, "\xC2\x9F") || is_between("\xE2\x80\xA8", character, "\xE2\x80\xAE") ||
           is_between("\xE2\x81\xA6", character, "\xE2\x81\xA9");
}

}  // namespace

std::string valid_utf8(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const std::size_t length = utf8_length(text);
        out += length == 0 ? replacement_character : text.substr(0, length);
        text.remove_prefix(length == 0 ? 1 : length);
    }
    return out;
}

std::string_view first_characters(std::string_view text, std::size_t most) {
    std::size_t end = 0;
    for (; most > 0 && end < text.size(); --most)
        end += std::max<std::size_t>(utf8_length(text.substr(end)), 1);
    return text.substr(0, end);
}

std::size_t count_characters(std::string_view text) noexcept {
    const auto starts_character = [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U; };
    return static_cast<std::size_t>(std::ranges::count_if(text, starts_character));
}

std::string printable(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const std::size_t length = utf8_length(text);
        const std::string_view character = text.substr(0, length == 0 ? 1 : length);
        text.remove_prefix(character.size());
        if (length > 0 && is_control(character)) {
            for (const char byte : character)
                out += fmt::format("\\x{:02x}", static_cast<unsigned char>(byte));
        } else {
            out += length == 0 ? replacement_character : character;
        }
    }
    return out;
}

}  // namespace decant
