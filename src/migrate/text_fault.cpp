#include "migrate/text_fault.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <cstring>
#include <iterator>

#include "core/utf8.hpp"

namespace decant::migrate {
namespace {

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
        const std::size_t length = utf8_length(text.substr(at));
        if (length == 0 || text[at] == '\0') return at;
        at += length;
    }
    return text.size();
}

}  // namespace

std::optional<std::string> find_text_fault(std::string_view text) {
    const std::size_t at = next_fault(text, 0);
    if (at == text.size()) return std::nullopt;
    if (text[at] == '\0') return fmt::format("U+0000 at byte {}", at);
    return fmt::format("invalid UTF-8 (byte 0x{:02x}) at byte {}", static_cast<unsigned char>(text[at]), at);
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
                fmt::format_to(std::back_inserter(out), "\\x{:02X}", static_cast<unsigned char>(text[fault]));
        }
        at = fault + 1;
    }
    return out;
}

}  // namespace decant::migrate
