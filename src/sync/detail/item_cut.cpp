#include "sync/detail/item_cut.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "core/utf8.hpp"

namespace decant::sync::detail {
namespace {

bool is_blank(char c) noexcept {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/// Behind the closing quote of the string that begins at `at`; npos: it does not end.
std::size_t end_of_string(std::string_view text, std::size_t at) {
    for (++at; at < text.size(); ++at) {
        if (text[at] == '\\')
            ++at;
        else if (text[at] == '"')
            return at + 1;
    }
    return std::string_view::npos;
}

std::size_t skip_blanks(std::string_view text, std::size_t at) {
    while (at < text.size() && is_blank(text[at]))
        ++at;
    return at;
}

/// Where the list of that name opens, on the answer's first level.
std::size_t list_start(std::string_view answer, const std::vector<std::string_view>& names) {
    int depth = 0;
    for (std::size_t at = 0; at < answer.size();) {
        const char c = answer[at];
        if (c != '"') {
            if (c == '{' || c == '[') ++depth;
            if (c == '}' || c == ']') --depth;
            ++at;
            continue;
        }
        const std::size_t end = end_of_string(answer, at);
        if (end == answer.npos) return answer.npos;
        const std::string_view name = answer.substr(at + 1, end - at - 2);
        at = skip_blanks(answer, end);
        if (depth != 1 || at >= answer.size() || answer[at] != ':' || std::ranges::find(names, name) == names.end())
            continue;
        at = skip_blanks(answer, at + 1);
        if (at < answer.size() && answer[at] == '[') return at;
    }
    return answer.npos;
}

/// Four hexadecimal digits at `at`.
std::optional<std::uint32_t> code_unit(std::string_view text, std::size_t at) {
    constexpr std::size_t digits = 4;
    std::uint32_t unit = 0;
    if (at + digits > text.size()) return std::nullopt;
    const auto [end, fault] = std::from_chars(text.data() + at, text.data() + at + digits, unit, 16);
    if (fault != std::errc{} || end != text.data() + at + digits) return std::nullopt;
    return unit;
}

bool is_high(std::uint32_t unit) noexcept {
    return unit >= 0xd800 && unit < 0xdc00;
}
bool is_low(std::uint32_t unit) noexcept {
    return unit >= 0xdc00 && unit < 0xe000;
}

/// A string with its quotes.
std::string mended_string(std::string_view text) {
    constexpr std::size_t escape = 6;  // \uXXXX
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        if (text[at] != '\\' || at + 1 >= text.size()) {
            out += text[at++];
            continue;
        }
        const auto unit = text[at + 1] == 'u' ? code_unit(text, at + 2) : std::nullopt;
        if (!unit || (!is_high(*unit) && !is_low(*unit))) {
            out += text.substr(at, 2);
            at += 2;
            continue;
        }
        const std::size_t next = at + escape;
        const auto second =
            text.substr(std::min(next, text.size()), 2) == "\\u" ? code_unit(text, next + 2) : std::nullopt;
        const bool is_pair = is_high(*unit) && second && is_low(*second);
        out += is_pair ? text.substr(at, 2 * escape) : std::string_view{"\\ufffd"};
        at += is_pair ? 2 * escape : escape;
    }
    return out;
}

/// A number, or a word as `true`.
std::string mended_value(std::string_view text) {
    const bool is_number = text[0] == '-' || (text[0] >= '0' && text[0] <= '9');
    double value = 0;
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
    return is_number && fault == std::errc::result_out_of_range ? "null" : std::string{text};
}

}  // namespace

std::optional<CutAnswer> cut_items(std::string_view answer, const std::vector<std::string_view>& names) {
    const std::size_t start = list_start(answer, names);
    if (start == answer.npos) return std::nullopt;
    CutAnswer cut;
    int depth = 0;
    std::size_t first = start + 1;
    for (std::size_t at = first; at < answer.size();) {
        const char c = answer[at];
        if (c == '"') {
            at = end_of_string(answer, at);
            if (at == answer.npos) return std::nullopt;
            continue;
        }
        const bool is_end = depth == 0 && c == ']';
        if (is_end || (depth == 0 && c == ',')) {
            const std::size_t from = skip_blanks(answer, first);
            if (from < at) cut.items.push_back(answer.substr(from, at - from));
            if (is_end) {
                cut.frame = std::string{answer.substr(0, start + 1)} + std::string{answer.substr(at)};
                return cut;
            }
            first = at + 1;
        }
        if (c == '{' || c == '[') ++depth;
        if (c == '}' || c == ']') --depth;
        if (depth < 0) return std::nullopt;
        ++at;
    }
    return std::nullopt;
}

std::string mended_item(std::string_view item) {
    constexpr std::string_view marks = "{}[],:\" \t\n\r";
    const std::string text = valid_utf8(item);
    const std::string_view rest{text};
    std::string out;
    for (std::size_t at = 0; at < rest.size();) {
        if (rest[at] == '"') {
            const std::size_t end = std::min(end_of_string(rest, at), rest.size());
            out += mended_string(rest.substr(at, end - at));
            at = end;
        } else if (marks.find(rest[at]) != marks.npos) {
            out += rest[at++];
        } else {
            const std::size_t end = std::min(rest.find_first_of(marks, at), rest.size());
            out += mended_value(rest.substr(at, end - at));
            at = end;
        }
    }
    return out;
}

}  // namespace decant::sync::detail
