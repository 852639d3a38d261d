#include "core/base64.hpp"

#include <cstdint>

namespace decant {
namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view url_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::string encode(std::string_view bytes, std::string_view digits, bool is_padded) {
    std::string out;
    out.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t at = 0; at < bytes.size(); at += 3) {
        const std::size_t have = bytes.size() - at < 3 ? bytes.size() - at : 3;
        std::uint32_t word = 0;
        for (std::size_t i = 0; i < 3; ++i) {
            word = (word << 8U) | (i < have ? static_cast<unsigned char>(bytes[at + i]) : 0U);
        }
        for (std::size_t i = 0; i < 4; ++i) {
            if (i <= have)
                out.push_back(digits[(word >> (18U - 6U * i)) & 63U]);
            else if (is_padded)
                out.push_back('=');
        }
    }
    return out;
}

}  // namespace

std::string base64(std::string_view bytes) {
    return encode(bytes, alphabet, true);
}

std::string base64url(std::string_view bytes) {
    return encode(bytes, url_alphabet, false);
}

std::optional<std::string> decode_base64url(std::string_view text) {
    if (text.size() % 4 == 1) return std::nullopt;
    std::string out;
    out.reserve(text.size() / 4 * 3 + 2);
    std::uint32_t word = 0;
    unsigned bits = 0;
    for (const char letter : text) {
        const std::size_t digit = url_alphabet.find(letter);
        if (digit == std::string_view::npos) return std::nullopt;
        word = (word << 6U) | static_cast<std::uint32_t>(digit);
        bits += 6;
        if (bits < 8) continue;
        bits -= 8;
        out.push_back(static_cast<char>((word >> bits) & 0xFFU));
    }
    if ((word & ((1U << bits) - 1U)) != 0) return std::nullopt;
    return out;
}

}  // namespace decant
