#include "migrate/text_fault.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <cstring>
#include <iterator>

namespace decant::migrate {
namespace {

unsigned char byte_at(std::string_view text, std::size_t at) noexcept {
    return at < text.size() ? static_cast<unsigned char>(text[at]) : 0;
}

bool is_continuation(unsigned char byte, unsigned char low = 0x80, unsigned char high = 0xbf) noexcept {
    return byte >= low && byte <= high;
}

/// Bytes of the valid character at `at`; 0 when it is invalid or U+0000.
std::size_t character_length(std::string_view text, std::size_t at) noexcept {
    const unsigned char first = byte_at(text, at);
    const unsigned char second = byte_at(text, at + 1);
    if (first == 0) return 0;
    if (first < 0x80) return 1;
    if (first < 0xc2) return 0;
    if (first < 0xe0) return is_continuation(second) ? 2 : 0;
    if (!is_continuation(byte_at(text, at + 2))) return 0;
    if (first < 0xf0) {
        const unsigned char low = first == 0xe0 ? 0xa0 : 0x80;
        const unsigned char high = first == 0xed ? 0x9f : 0xbf;
        return is_continuation(second, low, high) ? 3 : 0;
    }
    if (first > 0xf4 || !is_continuation(byte_at(text, at + 3))) return 0;
    const unsigned char low = first == 0xf0 ? 0x90 : 0x80;
    const unsigned char high = first == 0xf4 ? 0x8f : 0xbf;
    return is_continuation(second, low, high) ? 4 : 0;
}

/// True for eight bytes of ASCII without NUL: the common case, by the word.
bool is_plain_word(const char* at) noexcept {
    std::uint64_t word = 0;
    std::memcpy(&word, at, sizeof word);
    constexpr std::uint64_t high_bits = 0x8080808080808080U;
    constexpr std::uint64_t ones = 0x0101010101010101U;
    return (word & high_bits) == 0 && ((word - ones) & high_bits) == 0;
}

/// Offset of the first fault at or after `at`, or the size.
std::size_t next_fault(std::string_view text, std::size_t at) noexcept {
    while (at < text.size()) {
        if (text.size() - at >= 8 && is_plain_word(text.data() + at)) {
            at += 8;
            continue;
        }
        const std::size_t length = character_length(text, at);
        if (length == 0) return at;
        at += length;
    }
    return text.size();
}

}  // namespace

std::string_view name_of(NulPolicy policy) noexcept {
    switch (policy) {
        case NulPolicy::reject:
            return "reject";
        case NulPolicy::strip:
            return "strip";
        case NulPolicy::escape:
            return "escape";
    }
    return "reject";
}

std::optional<std::string> find_text_fault(std::string_view text) {
    const std::size_t at = next_fault(text, 0);
    if (at == text.size()) return std::nullopt;
    if (text[at] == '\0') return fmt::format("U+0000 at byte {}", at);
    return fmt::format("invalid UTF-8 (byte 0x{:02x}) at byte {}", byte_at(text, at), at);
}

std::string repaired_text(std::string_view text, NulPolicy policy) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t fault = next_fault(text, at);
        out.append(text.substr(at, fault - at));
        if (fault == text.size()) break;
        if (policy == NulPolicy::escape) {
            if (text[fault] == '\0')
                out.append("\\u0000");
            else
                fmt::format_to(std::back_inserter(out), "\\x{:02X}", byte_at(text, fault));
        }
        at = fault + 1;
    }
    return out;
}

}  // namespace decant::migrate
