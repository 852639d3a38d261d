#include "core/fold_text.hpp"

#include <algorithm>
#include <array>

#include "core/utf8.hpp"

namespace decant {
namespace {

/// Of U+00C0 to U+017F; '?' stays as it is. Source: the names of the letters in the Unicode character database.
constexpr std::string_view latin_letters =
    "aaaaaa?ceeeeiiii?nooooo?ouuuuy??"
    "aaaaaa?ceeeeiiii?nooooo?ouuuuy?y"
    "aaaaaaccccccccddddeeeeeeeeeegggg"
    "gggghhhhiiiiiiiiii??jjkk?llllll?"
    "?llnnnnnn???oooooo??rrrrrrssssss"
    "ssttttttuuuuuuuuuuuuwwyyyzzzzzzs";
static_assert(latin_letters.size() == 0x180 - 0xc0);

bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

bool is_of_word(char c) noexcept {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) >= 0x80;
}

/// Two bytes: U+0080 to U+07FF.
unsigned code_point(std::string_view two) noexcept {
    return ((static_cast<unsigned char>(two[0]) & 0x1fU) << 6U) | (static_cast<unsigned char>(two[1]) & 0x3fU);
}

/// Of U+0080 to U+00BF and U+2000 to U+2BFF: quotes, dashes, inverted marks, currencies, arrows, signs of arithmetic.
bool is_punctuation(std::string_view character) noexcept {
    if (character.size() == 2) return code_point(character) < 0xc0;
    return character.size() == 3 && character[0] == '\xe2' && character[1] < '\xb0';
}

}  // namespace

std::string fold_text(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const std::size_t length = std::max<std::size_t>(utf8_length(text), 1);
        const std::string_view character = text.substr(0, length);
        text.remove_prefix(length);
        if (length == 1 && character[0] >= 'A' && character[0] <= 'Z') {
            out.push_back(static_cast<char>(character[0] - 'A' + 'a'));
            continue;
        }
        const unsigned code = length == 2 ? code_point(character) : 0;
        const char letter = code >= 0xc0 && code < 0x180 ? latin_letters[code - 0xc0] : '?';
        if (letter == '?')
            out += character;
        else
            out.push_back(letter);
    }
    return out;
}

std::vector<std::string_view> words_of(std::string_view text) {
    std::vector<std::string_view> words;
    std::size_t begin = std::string_view::npos;
    const auto end_word = [&](std::size_t end) {
        if (begin != std::string_view::npos) words.push_back(text.substr(begin, end - begin));
        begin = std::string_view::npos;
    };
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t length = std::max<std::size_t>(utf8_length(text.substr(at)), 1);
        const bool is_inner = (text[at] == '.' || text[at] == ',') && begin != std::string_view::npos &&
                              is_digit(text[at - 1]) && at + 1 < text.size() && is_digit(text[at + 1]);
        if (is_inner || (is_of_word(text[at]) && !is_punctuation(text.substr(at, length)))) {
            if (begin == std::string_view::npos) begin = at;
        } else {
            end_word(at);
        }
        at += length;
    }
    end_word(text.size());
    return words;
}

}  // namespace decant
