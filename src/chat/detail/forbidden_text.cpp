#include "chat/detail/forbidden_text.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include <fmt/format.h>

#include "core/fold_text.hpp"
#include "core/utf8.hpp"

namespace decant::chat::detail {
namespace {

struct Mark {
    std::string_view text;
    std::string_view what;
};

/// As they stand in a text without accents and in lower case.
constexpr auto marks = std::to_array<Mark>({{"![", "an image"},
                                            {"://", "a link"},
                                            {"www.", "a link"},
                                            {"mailto:", "a link"},
                                            {"javascript:", "a link"},
                                            {"data:text", "a link"},
                                            {"data:image", "a link"},
                                            {"data:application", "a link"},
                                            {"](", "a link"},
                                            {"]:", "a link"},
                                            {"[.]", "a link"},
                                            {"</", "markup"},
                                            {"<!", "markup"},
                                            {"<?", "markup"},
                                            {"<|", "a mark of a chat template"},
                                            {"|>", "a mark of a chat template"},
                                            {"[inst]", "a mark of a chat template"},
                                            {"<<sys>>", "a mark of a chat template"},
                                            {"system prompt", "talk of instructions"},
                                            {"system message", "talk of instructions"},
                                            {"prompt del sistema", "talk of instructions"},
                                            {"prompt de sistema", "talk of instructions"},
                                            {"mensaje del sistema", "talk of instructions"},
                                            {"mensaje de sistema", "talk of instructions"},
                                            {"instrucciones del sistema", "talk of instructions"},
                                            {"my instructions", "talk of instructions"},
                                            {"mis instrucciones", "talk of instructions"},
                                            {"previous instructions", "talk of instructions"},
                                            {"prior instructions", "talk of instructions"},
                                            {"instrucciones anteriores", "talk of instructions"},
                                            {"instrucciones previas", "talk of instructions"},
                                            {"was instructed", "talk of instructions"},
                                            {"me indicaron que", "talk of instructions"},
                                            {"ai language model", "talk of instructions"},
                                            {"modelo de lenguaje", "talk of instructions"},
                                            {"you are a helpful", "talk of instructions"}});

/// Behind the last point of a host's name.
constexpr auto domains = std::to_array<std::string_view>(
    {"com",  "net",   "org", "io", "ly",  "co",  "ar",   "es",    "mx",     "cl",      "uy",      "br",    "pe",
     "info", "biz",   "xyz", "me", "dev", "app", "shop", "store", "online", "site",    "link",    "ru",    "cn",
     "us",   "uk",    "de",  "fr", "it",  "eu",  "tv",   "gg",    "to",     "example", "test",    "local", "onion",
     "top",  "click", "ai",  "cc", "ws",  "in",  "pw",   "live",  "club",   "tienda",  "website", "gov",   "edu"});

bool is_alnum(char c) noexcept {
    return std::isalnum(static_cast<unsigned char>(c)) != 0;
}

std::string_view around(std::string_view text, std::size_t at) {
    const std::size_t begin = text.find_last_of(" \t\n", at);
    const std::size_t from = begin == std::string_view::npos ? 0 : begin + 1;
    return text.substr(from, std::min(text.find_first_of(" \t\n", at), text.size()) - from);
}

/// "tienda.com", "bit.ly/x", "10.0.0.1": letters or digits, a point, a domain's end.
bool is_host_at(std::string_view text, std::size_t point) {
    if (point == 0 || !is_alnum(text[point - 1])) return false;
    std::size_t end = point + 1;
    while (end < text.size() && is_alnum(text[end]))
        ++end;
    const std::string_view name = text.substr(point + 1, end - point - 1);
    return std::ranges::find(domains, name) != domains.end();
}

bool is_address_at(std::string_view text, std::size_t begin) {
    int groups = 0;
    std::size_t at = begin;
    if (begin > 0 && (is_alnum(text[begin - 1]) || text[begin - 1] == '.')) return false;
    for (; groups < 4; ++groups) {
        const std::size_t end = std::min(text.find_first_not_of("0123456789", at), text.size());
        if (end == at || end - at > 3) return false;
        at = end;
        if (groups < 3 && (at >= text.size() || text[at++] != '.')) return false;
    }
    return at == text.size() || !is_alnum(text[at]);
}

/// Zero-width characters, marks of direction, tags and private ones: what a person does not see and a program reads.
bool is_hidden(std::string_view character) noexcept {
    if (character.size() == 1)
        return static_cast<unsigned char>(character[0]) < ' ' && character[0] != '\n' && character[0] != '\t' &&
               character[0] != '\r';
    if (character.size() == 4) return character.starts_with("\xf3") || character.starts_with("\xf4");
    if (character.size() != 3) return character == "\xc2\xad";
    const bool is_joiner = character == "\xe2\x80\x8d";  // of emoji
    const bool is_format = character >= "\xe2\x80\x8b" && character <= "\xe2\x80\x8f";
    const bool is_direction = character >= "\xe2\x80\xa8" && character <= "\xe2\x80\xae";
    const bool is_invisible = character >= "\xe2\x81\xa0" && character <= "\xe2\x81\xaf";
    return (is_format && !is_joiner) || is_direction || is_invisible || character == "\xef\xbb\xbf" ||
           (character >= "\xee\x80\x80" && character <= "\xef\xa3\xbf");
}

bool has_hidden(std::string_view text) {
    while (!text.empty()) {
        const std::size_t length = utf8_length(text);
        if (length == 0 || is_hidden(text.substr(0, length))) return true;
        text.remove_prefix(length);
    }
    return false;
}

std::optional<std::string> find_link(std::string_view text) {
    for (std::size_t at = 0; at < text.size(); ++at) {
        const bool is_next_letter = at + 1 < text.size() && std::isalpha(static_cast<unsigned char>(text[at + 1])) != 0;
        if (text[at] == '@' && is_next_letter) return fmt::format("an address: {}", around(text, at));
        if (text[at] == '<' && is_next_letter) return fmt::format("markup: {}", around(text, at));
        if ((text[at] == '.' && is_host_at(text, at)) || is_address_at(text, at))
            return fmt::format("a link: {}", around(text, at));
    }
    return std::nullopt;
}

}  // namespace

std::string without_image(std::string answer, std::string_view url) {
    if (!url.starts_with("https://") && !url.starts_with("http://")) return answer;
    for (std::size_t at = 0; (at = answer.find(url, at)) != std::string::npos;) {
        std::size_t end = at + url.size();
        const bool is_whole =
            end == answer.size() || std::string_view{" \t\n)"}.find(answer[end]) != std::string_view::npos;
        if (!is_whole) {
            at = end;
            continue;
        }
        const std::size_t image = answer.rfind("![", at);
        const bool is_image = image != std::string::npos && end < answer.size() && answer[end] == ')' &&
                              answer.find("](", image) + 2 == at;
        if (is_image) {
            at = image;
            ++end;
        }
        answer.erase(at, end - at);
    }
    return answer;
}

std::optional<std::string> find_forbidden(std::string_view answer) {
    if (has_hidden(answer)) return "a character that nobody sees";
    const std::string folded = fold_text(answer);
    for (const auto& [text, what] : marks) {
        const std::size_t at = folded.find(text);
        if (at != std::string::npos) return fmt::format("{}: {}", what, around(folded, at));
    }
    return find_link(folded);
}

}  // namespace decant::chat::detail
