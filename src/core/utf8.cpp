#include "core/utf8.hpp"

#include <cstdint>

#include <fmt/format.h>

namespace decant {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

struct Lead {
    std::size_t length;        ///< 0: no sequence starts with this byte
    unsigned char second_low;  ///< bounds of the second byte, which rule out overlong forms and surrogates
    unsigned char second_high;
};

Lead lead_of(unsigned char byte) {
    if (byte < 0x80) return {1, 0, 0};
    if (byte < 0xC2) return {0, 0, 0};
    if (byte < 0xE0) return {2, 0x80, 0xBF};
    if (byte == 0xE0) return {3, 0xA0, 0xBF};
    if (byte == 0xED) return {3, 0x80, 0x9F};
    if (byte < 0xF0) return {3, 0x80, 0xBF};
    if (byte == 0xF0) return {4, 0x90, 0xBF};
    if (byte < 0xF4) return {4, 0x80, 0xBF};
    if (byte == 0xF4) return {4, 0x80, 0x8F};
    return {0, 0, 0};
}

/// Length of the well-formed sequence at the start of `text`, 0 when there is none.
std::size_t sequence_length(std::string_view text) {
    const Lead lead = lead_of(static_cast<unsigned char>(text[0]));
    if (lead.length <= 1) return lead.length;
    if (text.size() < lead.length) return 0;
    const auto second = static_cast<unsigned char>(text[1]);
    if (second < lead.second_low || second > lead.second_high) return 0;
    for (std::size_t i = 2; i < lead.length; ++i) {
        if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) return 0;
    }
    return lead.length;
}

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
        const std::size_t length = sequence_length(text);
        out += length == 0 ? replacement : text.substr(0, length);
        text.remove_prefix(length == 0 ? 1 : length);
    }
    return out;
}

std::string printable(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const std::size_t length = sequence_length(text);
        const std::string_view character = text.substr(0, length == 0 ? 1 : length);
        text.remove_prefix(character.size());
        if (length > 0 && is_control(character)) {
            for (const char byte : character)
                out += fmt::format("\\x{:02x}", static_cast<unsigned char>(byte));
        } else {
            out += length == 0 ? replacement : character;
        }
    }
    return out;
}

}  // namespace decant
