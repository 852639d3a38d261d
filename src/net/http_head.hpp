#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

/// What a request's head must be (RFC 9112), stricter than parsers are: nothing passes that a proxy before this server
/// could read differently. Pure functions, any thread.
namespace decant::net {

/// What the server refuses by itself before any handler sees it. `status` is 400, 408, 413, 414, 415, 417, 431, 500
/// (a handler gave no answer that can be sent), 501 or 505; `detail` a sentence for a person.
struct Refusal {
    int status;
    std::string detail;
};

struct HeadLimits {
    std::size_t most_bytes = 16 * 1024;  ///< request line and headers
    std::size_t most_target_bytes = 8 * 1024;
    std::size_t most_headers = 100;
};

/// `head` is the request line and the headers with the empty line that ends them.
std::optional<Refusal> check_head(std::string_view head, const HeadLimits& limits = {});

/// What can be told of a head whose end did not come yet.
std::optional<Refusal> check_part_of_head(std::string_view part, const HeadLimits& limits = {});

/// A header name or method (RFC 9110, 5.6.2).
bool is_token(std::string_view text) noexcept;
/// What a header may carry: no control character but the tab.
bool is_header_value(std::string_view text) noexcept;
/// ASCII letters alike in both cases.
bool equals_ignoring_case(std::string_view left, std::string_view right) noexcept;

}  // namespace decant::net
