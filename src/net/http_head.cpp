#include "net/http_head.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace decant::net {
namespace {

constexpr std::size_t most_length_digits = 18;

bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

bool is_letter(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_token_char(char c) noexcept {
    constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
    return is_digit(c) || is_letter(c) || marks.find(c) != std::string_view::npos;
}

bool is_control(char c) noexcept {
    return (c >= '\0' && c < ' ') || c == '\x7f';
}

Refusal bad(std::string detail) {
    return {400, std::move(detail)};
}

Refusal target_too_long(const HeadLimits& limits) {
    return {414, fmt::format("The request target is longer than {} bytes.", limits.most_target_bytes)};
}

/// Lines end with CR LF, and there is no other control character but the tab.
std::optional<Refusal> check_bytes(std::string_view part) {
    for (std::size_t at = 0; at < part.size(); ++at) {
        const char c = part[at];
        const bool is_cr_of_lf = c == '\r' && (at + 1 == part.size() || part[at + 1] == '\n');
        const bool is_lf_of_cr = c == '\n' && at > 0 && part[at - 1] == '\r';
        if (!is_control(c) || c == '\t' || is_cr_of_lf || is_lf_of_cr) continue;
        return bad(c == '\n' || c == '\r' ? "A line of the request's head ends with a bare CR or LF."
                                          : "The request's head has a control character.");
    }
    return std::nullopt;
}

std::optional<Refusal> check_target(std::string_view target, const HeadLimits& limits) {
    if (target.size() > limits.most_target_bytes) return target_too_long(limits);
    if (!target.starts_with('/')) return bad("The request target must be a path that starts with '/'.");
    for (std::size_t at = 0; at < target.size(); ++at) {
        const char c = target[at];
        if (c <= ' ' || c > '~' || c == '#') return bad("The request target has a character that must be encoded.");
        if (c != '%') continue;
        const std::string_view digits = target.substr(at + 1, 2);
        const bool is_hex = digits.size() == 2 && std::ranges::all_of(digits, [](char digit) {
                                return is_digit(digit) || (lower(digit) >= 'a' && lower(digit) <= 'f');
                            });
        if (!is_hex) return bad("The request target has a '%' that two hexadecimal digits do not follow.");
        if (digits == "00") return bad("The request target has an encoded NUL.");
    }
    return std::nullopt;
}

std::optional<Refusal> check_version(std::string_view version) {
    const bool is_http = version.size() == 8 && version.starts_with("HTTP/") && is_digit(version[5]) &&
                         version[6] == '.' && is_digit(version[7]);
    if (!is_http) return bad("The request line must be a method, a target and HTTP/1.1, with one space between.");
    if (version != "HTTP/1.1" && version != "HTTP/1.0") return Refusal{505, "This server speaks HTTP/1.1 and 1.0."};
    return std::nullopt;
}

std::optional<Refusal> check_request_line(std::string_view line, const HeadLimits& limits) {
    const std::size_t first = line.find(' ');
    const std::size_t last = line.rfind(' ');
    if (first == std::string_view::npos || first == last) {
        return bad("The request line must be a method, a target and a version.");
    }
    if (!is_token(line.substr(0, first))) return bad("The request's method has a character that no method has.");
    const std::string_view target = line.substr(first + 1, last - first - 1);
    if (target.size() > limits.most_target_bytes) return target_too_long(limits);
    if (auto refusal = check_version(line.substr(last + 1))) return refusal;
    return check_target(target, limits);
}

/// What the headers say of the message's end and of whom it is for.
struct Framing {
    bool is_http_1_0 = false;
    int hosts = 0;
    int lengths = 0;
    int encodings = 0;
};

std::optional<Refusal> check_host(std::string_view value) {
    static constexpr std::string_view marks = "-._:[]%";
    const bool is_name = !value.empty() && std::ranges::all_of(value, [](char c) {
        return is_digit(c) || is_letter(c) || marks.find(c) != std::string_view::npos;
    });
    if (!is_name) return bad("The Host header must be a host name or address with an optional port.");
    return std::nullopt;
}

std::optional<Refusal> check_length(std::string_view value) {
    if (value.empty() || !std::ranges::all_of(value, is_digit)) return bad("Content-Length must be a number.");
    if (value.size() > most_length_digits) return Refusal{413, "The request's body is too large."};
    return std::nullopt;
}

std::optional<Refusal> check_encoding(std::string_view value) {
    if (equals_ignoring_case(value, "chunked")) return std::nullopt;
    bool is_known = true;
    for (std::string_view rest = value;;) {
        const std::size_t comma = rest.find(',');
        std::string_view coding = rest.substr(0, comma);
        while (coding.ends_with(' ') || coding.ends_with('\t'))
            coding.remove_suffix(1);
        coding.remove_prefix(std::min(coding.find_first_not_of(" \t"), coding.size()));
        if (!is_token(coding)) return bad("Transfer-Encoding is malformed.");
        is_known = is_known && equals_ignoring_case(coding, "chunked");
        if (comma == std::string_view::npos) break;
        rest.remove_prefix(comma + 1);
    }
    if (is_known) return bad("Transfer-Encoding may say \"chunked\" once.");
    return Refusal{501, "The only transfer encoding that this server knows is \"chunked\"."};
}

std::optional<Refusal> check_header(std::string_view name, std::string_view value, Framing& framing) {
    if (equals_ignoring_case(name, "Host")) {
        ++framing.hosts;
        return check_host(value);
    }
    if (equals_ignoring_case(name, "Content-Length")) {
        ++framing.lengths;
        return check_length(value);
    }
    if (equals_ignoring_case(name, "Transfer-Encoding")) {
        ++framing.encodings;
        return check_encoding(value);
    }
    if (equals_ignoring_case(name, "Content-Encoding") && !equals_ignoring_case(value, "identity")) {
        return Refusal{415, "Bodies are taken without Content-Encoding only."};
    }
    if (equals_ignoring_case(name, "Expect") && !equals_ignoring_case(value, "100-continue")) {
        return Refusal{417, "The only expectation that this server meets is \"100-continue\"."};
    }
    return std::nullopt;
}

std::optional<Refusal> check_framing(const Framing& framing) {
    if (framing.hosts > 1 || (framing.hosts == 0 && !framing.is_http_1_0)) {
        return bad("The request must have one Host header.");
    }
    if (framing.lengths > 1 || framing.encodings > 1 || (framing.lengths > 0 && framing.encodings > 0)) {
        return bad("The request must have one Content-Length or one Transfer-Encoding, not both.");
    }
    if (framing.encodings > 0 && framing.is_http_1_0) return bad("HTTP/1.0 has no Transfer-Encoding.");
    return std::nullopt;
}

std::optional<Refusal> check_line(std::string_view line, Framing& framing) {
    if (line.starts_with(' ') || line.starts_with('\t')) return bad("A header must not be folded over lines.");
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) {
        return bad("A header line must be a name, a colon at once, and a value.");
    }
    std::string_view value = line.substr(colon + 1);
    value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
    value = value.substr(0, value.find_last_not_of(" \t") + 1);
    return check_header(line.substr(0, colon), value, framing);
}

}  // namespace

std::optional<Refusal> check_head(std::string_view head, const HeadLimits& limits) {
    if (auto refusal = check_part_of_head(head, limits)) return refusal;
    std::size_t end = head.find("\r\n");
    if (end == std::string_view::npos || !head.ends_with("\r\n\r\n")) return bad("The request's head has no end.");
    const std::string_view request_line = head.substr(0, end);
    if (auto refusal = check_request_line(request_line, limits)) return refusal;
    Framing framing{.is_http_1_0 = request_line.ends_with("1.0")};
    std::size_t headers = 0;
    for (std::size_t start = end + 2; start + 2 < head.size(); start = end + 2) {
        end = head.find("\r\n", start);
        if (++headers > limits.most_headers) {
            return Refusal{431, fmt::format("The request has more than {} headers.", limits.most_headers)};
        }
        if (auto refusal = check_line(head.substr(start, end - start), framing)) return refusal;
    }
    return check_framing(framing);
}

std::optional<Refusal> check_part_of_head(std::string_view part, const HeadLimits& limits) {
    if (part.empty()) return std::nullopt;
    // TLS on the plain port, an empty line before the request: no end of a head would ever come.
    if (!is_token_char(part.front())) return bad("The request does not start with a method.");
    if (auto refusal = check_bytes(part)) return refusal;
    if (part.size() <= limits.most_bytes) return std::nullopt;
    const std::size_t first_line = std::min(part.find("\r\n"), part.size());
    if (first_line > limits.most_target_bytes) return target_too_long(limits);
    return Refusal{431, fmt::format("The request's head is longer than {} bytes.", limits.most_bytes)};
}

bool is_token(std::string_view text) noexcept {
    return !text.empty() && std::ranges::all_of(text, is_token_char);
}

bool is_header_value(std::string_view text) noexcept {
    return std::ranges::none_of(text, [](char c) { return is_control(c) && c != '\t'; });
}

bool equals_ignoring_case(std::string_view left, std::string_view right) noexcept {
    return std::ranges::equal(left, right, [](char one, char other) { return lower(one) == lower(other); });
}

}  // namespace decant::net
