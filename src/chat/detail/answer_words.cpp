#include "chat/detail/answer_words.hpp"

#include <algorithm>
#include <charconv>

#include "core/fold_text.hpp"
#include "core/utf8.hpp"

namespace decant::chat::detail {
namespace {

constexpr double most_value = 1e12;

bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

bool is_letter(char c) noexcept {
    return !is_digit(c) && c != '.' && c != ',';
}

/// U+00C0 to U+00DE but for the sign of multiplication.
bool is_latin_capital(std::string_view text) noexcept {
    const std::string_view first = text.substr(0, 2);
    return first >= "\xc3\x80" && first <= "\xc3\x9e" && first != "\xc3\x97";
}

/// Groups of three after one of at most three.
bool are_thousands(std::string_view digits) noexcept {
    std::size_t mark = digits.find_first_of(".,");
    if (mark == 0 || mark > 3) return false;
    while (mark != std::string_view::npos) {
        const std::size_t next = std::min(digits.find_first_of(".,", mark + 1), digits.size());
        if (next - mark != 4) return false;
        mark = next == digits.size() ? std::string_view::npos : next;
    }
    return true;
}

/// Variation selectors, the joiner of emoji and the frame of keys.
bool is_picture_part(std::string_view character) noexcept {
    return character == "\xef\xb8\x8f" || character == "\xe2\x80\x8d" || character == "\xe2\x83\xa3";
}

}  // namespace

bool Word::has_digit() const noexcept {
    return std::ranges::any_of(text, is_digit);
}

bool Word::has_letter() const noexcept {
    return std::ranges::any_of(text, is_letter);
}

bool Word::is_capital() const noexcept {
    return (text[0] >= 'A' && text[0] <= 'Z') || is_latin_capital(text);
}

Words words_in(std::string_view text) {
    Words words;
    std::size_t end = 0;
    for (const std::string_view word : words_of(text)) {
        const auto begin = static_cast<std::size_t>(word.data() - text.data());
        const std::string_view gap = text.substr(end, begin - end);
        if (!words.empty()) words.back().after = gap;
        words.push_back({.text = word, .folded = fold_text(word), .before = gap, .after = {}});
        end = begin + word.size();
    }
    if (!words.empty()) words.back().after = text.substr(end);
    return words;
}

std::string without_pictures(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const std::size_t length = utf8_length(text);
        const std::string_view character = text.substr(0, std::max<std::size_t>(length, 1));
        if (length == 0 || length == 4 || is_picture_part(character))
            out += ' ';
        else
            out += character;
        text.remove_prefix(character.size());
    }
    return out;
}

std::string plain_gap(std::string_view gap) {
    std::string plain;
    for (const char c : gap) {
        if (c != '*' && c != '_' && c != '`' && c != '~' && c != '\\') plain += c;
    }
    return plain;
}

bool is_narrow(std::string_view gap) noexcept {
    return std::ranges::all_of(gap, [](char c) {
        return c == ' ' || c == '-' || c == '*' || c == '_' || c == '\xc2' || c == '\xa0';  // the last two: no-break
    });
}

bool ends_sentence(std::string_view gap) noexcept {
    return gap.find_first_of(".!?:;\n\r(|>#\"*_-+/=[{") != std::string_view::npos ||
           gap.find("\xc2\xa1") != std::string_view::npos ||  // ¡
           gap.find("\xc2\xbf") != std::string_view::npos ||  // ¿
           gap.find("\xc2\xab") != std::string_view::npos ||  // «
           gap.find('\xe2') != std::string_view::npos;        // dashes, quotes, bullets, arrows
}

std::string stem(std::string_view folded) {
    std::string stem{folded};
    if (std::ranges::any_of(stem, is_digit)) {
        std::ranges::replace(stem, ',', '.');
        return stem;
    }
    if (stem.size() > 3 && stem.ends_with('s')) stem.pop_back();
    if (stem.size() > 3 && stem.ends_with('e')) stem.pop_back();
    return stem;
}

std::optional<Figure> figure_in(std::string_view digits) {
    const std::size_t last = digits.find_last_of(".,");
    const std::size_t first = digits.find_first_of(".,");
    Figure figure{.value = 0};
    std::string plain;
    const bool is_one_kind =
        last != std::string_view::npos && digits.find(digits[last] == '.' ? ',' : '.') == std::string_view::npos;
    const bool is_grouped = is_one_kind && (first != last || (digits.size() - last == 4 && digits[0] != '0'));
    if (is_grouped && !are_thousands(digits)) return std::nullopt;
    for (std::size_t i = 0; i < digits.size(); ++i) {
        if (is_digit(digits[i])) {
            plain += digits[i];
        } else if (i == last && !is_grouped) {
            plain += '.';
            figure.decimals = digits.size() - last - 1;
        } else {
            figure.has_thousands = true;
        }
    }
    const auto [end, failed] = std::from_chars(plain.data(), plain.data() + plain.size(), figure.value);
    if (failed != std::errc{} || end != plain.data() + plain.size() || figure.value > most_value) return std::nullopt;
    return figure;
}

std::optional<FigureWord> figure_word(std::string_view folded) {
    const auto* const begin = std::ranges::find_if(folded, is_digit);
    const auto* const end = std::find_if(begin, folded.end(), is_letter);
    const bool has_more = std::any_of(end, folded.end(), is_digit);
    if (begin == folded.end() || has_more) return std::nullopt;
    const auto at = static_cast<std::size_t>(begin - folded.begin());
    const auto past = static_cast<std::size_t>(end - folded.begin());
    const auto figure = figure_in(folded.substr(at, past - at));
    if (!figure) return std::nullopt;
    return FigureWord{.prefix = folded.substr(0, at), .figure = *figure, .suffix = folded.substr(past)};
}

}  // namespace decant::chat::detail
