#include "trace/detail/http_sink.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.hpp"
#include "core/utf8.hpp"
#include "net/retry_after.hpp"

namespace decant::trace::detail {
namespace {

constexpr std::size_t most_answer_bytes = 1UL << 20U;
constexpr std::size_t shown_characters = 200;

/// Of Retry-After, up to ten minutes.
std::chrono::milliseconds asked_wait(const net::HttpResponse& response) {
    constexpr std::chrono::milliseconds longest = std::chrono::minutes{10};
    const auto found = response.headers.find("retry-after");
    if (found == response.headers.end()) return {};
    return std::min(net::retry_after(found->second).value_or(std::chrono::milliseconds{0}), longest);
}

}  // namespace

Delivery delivery_of(const net::HttpResponse& response, std::string_view remedy) {
    const auto is = [&](auto... statuses) { return ((response.status == statuses) || ...); };
    if (response.is_ok() || is(409)) return {.status = response.status};
    const std::string said =
        fmt::format("it answers {}: {}", response.status, printable(first_characters(response.body, shown_characters)));
    Delivery delivery{.outcome = Outcome::refused, .reason = said, .status = response.status};
    if (is(401, 403)) {
        delivery.outcome = Outcome::forbidden;
        delivery.reason += fmt::format(". {}", remedy);
    } else if (is(408, 425, 429) || response.status >= 500) {
        delivery.outcome = Outcome::later;
        delivery.wait = asked_wait(response);
    }
    return delivery;
}

Delivery send_once(net::HttpClient& client, net::HttpRequest request, const std::stop_token& stop,
                   std::string_view remedy) {
    request.tries = 1;
    request.most_body_bytes = most_answer_bytes;
    client.limit({.stop = stop, .tries = 1});
    try {
        return delivery_of(client.send(request), remedy);
    } catch (const Error& error) {
        return {.outcome = Outcome::later, .reason = error.happened()};
    }
}

}  // namespace decant::trace::detail
