#include "net/url.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <charconv>
#include <memory>

#include "core/error.hpp"

namespace decant::net {
namespace {

std::string part_of(CURLU* url, CURLUPart part, unsigned int flags = 0) {
    char* text = nullptr;
    if (curl_url_get(url, part, &text, flags) != CURLUE_OK) return {};
    const std::unique_ptr<char, void (*)(void*)> owned{text, curl_free};
    return text;
}

bool is_plain(char c) noexcept {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.' ||
           c == '_' || c == '~';
}

}  // namespace

std::string Url::origin() const {
    return fmt::format("{}://{}{}{}", scheme, host, port.empty() ? "" : ":", port);
}

std::string Url::text() const {
    return origin() + path;
}

bool Url::is_loopback() const noexcept {
    return host == "localhost" || host.starts_with("127.") || host == "[::1]";
}

bool looks_like_url(std::string_view text) noexcept {
    return text.starts_with("http://") || text.starts_with("https://");
}

Url parse_url(const std::string& text, std::string_view what) {
    const std::unique_ptr<CURLU, void (*)(CURLU*)> parts{curl_url(), curl_url_cleanup};
    const CURLUcode code = curl_url_set(parts.get(), CURLUPART_URL, text.c_str(), 0);
    if (code != CURLUE_OK || !looks_like_url(text)) {
        throw Error{ErrorCode::request_invalid,
                    fmt::format("{} is no URL: {}", what,
                                code != CURLUE_OK ? curl_url_strerror(code) : "it must start with http:// or https://"),
                    "Give it as in http://localhost:8000; write @, : and / of a password as %40, %3A and %2F."};
    }
    Url url{.scheme = part_of(parts.get(), CURLUPART_SCHEME),
            .host = part_of(parts.get(), CURLUPART_HOST),
            .port = part_of(parts.get(), CURLUPART_PORT),
            .path = part_of(parts.get(), CURLUPART_PATH),
            .user = part_of(parts.get(), CURLUPART_USER, CURLU_URLDECODE),
            .password = part_of(parts.get(), CURLUPART_PASSWORD, CURLU_URLDECODE)};
    while (url.path.ends_with('/'))
        url.path.pop_back();
    return url;
}

std::string url_segment(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (is_plain(c))
            out += c;
        else
            out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    return out;
}

std::string percent_decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        unsigned byte = 0;
        const char* const digits = text.data() + i + 1;
        const bool is_escape =
            text[i] == '%' && i + 2 < text.size() && std::from_chars(digits, digits + 2, byte, 16).ptr == digits + 2;
        out += is_escape ? static_cast<char>(byte) : text[i];
        if (is_escape) i += 2;
    }
    return out;
}

}  // namespace decant::net
