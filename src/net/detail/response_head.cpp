#include "net/detail/response_head.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ctime>

#include "net/http_head.hpp"
#include "net/http_status.hpp"

namespace decant::net {
namespace {

constexpr std::array<std::string_view, 4> own_headers{"Content-Length", "Transfer-Encoding", "Connection", "Date"};

std::string date_of(std::time_t now) {
    return fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT", fmt::gmtime(now));
}

const std::string& date_now() {
    thread_local std::time_t last = 0;
    thread_local std::string date;
    const std::time_t now = std::time(nullptr);
    if (now != last) date = date_of(last = now);
    return date;
}

}  // namespace

bool is_sendable(const ServerResponse& response) {
    return response.status >= 200 && response.status <= 599 &&
           std::ranges::all_of(response.headers, [](const auto& header) {
               const auto& [name, value] = header;
               return is_token(name) && is_header_value(value) &&
                      std::ranges::none_of(own_headers,
                                           [&](std::string_view own) { return equals_ignoring_case(own, name); });
           });
}

bool has_body(const ServerResponse& response) noexcept {
    return response.status != 204 && response.status != 304;
}

std::string response_head(const ServerResponse& response, const AnswerForm& form) {
    std::string head =
        fmt::format("HTTP/1.1 {} {}\r\nDate: {}\r\n", response.status, reason_phrase(response.status), date_now());
    for (const auto& [name, value] : response.headers)
        head.append(name).append(": ").append(value).append("\r\n");
    if (has_body(response)) {
        if (form.is_chunked()) {
            head += "Transfer-Encoding: chunked\r\n";
        } else if (!form.is_stream) {
            head += fmt::format("Content-Length: {}\r\n", response.body.size());
        }
    }
    if (!form.keeps_alive) head += "Connection: close\r\n";
    if (form.keeps_alive && form.is_http_1_0) head += "Connection: keep-alive\r\n";
    return head += "\r\n";
}

std::string chunk_of(std::string_view bytes) {
    return fmt::format("{:x}\r\n{}\r\n", bytes.size(), bytes);
}

}  // namespace decant::net
