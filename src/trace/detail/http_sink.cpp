#include "trace/detail/http_sink.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/base64.hpp"
#include "core/error.hpp"
#include "core/split_list.hpp"
#include "core/utf8.hpp"
#include "net/retry_after.hpp"
#include "trace/detail/most_searched_for.hpp"

namespace decant::trace::detail {
namespace {

constexpr std::size_t most_answer_bytes = 1UL << 20U;
constexpr std::size_t shown_characters = 200;
/// What is shorter is no secret, and would be found in any text.
constexpr std::size_t least_secret = 4;

/// Of Retry-After, up to ten minutes.
std::chrono::milliseconds asked_wait(const net::HttpResponse& response) {
    constexpr std::chrono::milliseconds longest = std::chrono::minutes{10};
    const auto found = response.headers.find("retry-after");
    if (found == response.headers.end()) return {};
    return std::min(net::retry_after(found->second).value_or(std::chrono::milliseconds{0}), longest);
}

/// The longest first: one may be a part of another.
std::vector<std::string> secrets_of(const net::HttpService& service) {
    const net::Url& url = service.url;
    std::vector<std::string> secrets{url.user, url.password, base64(url.user + ":" + url.password)};
    const auto add = [&](const auto& parts) { secrets.insert(secrets.end(), parts.begin(), parts.end()); };
    add(split_list(url.path, "/"));
    for (const std::string_view header : service.headers)
        for (const std::string_view separator : {"\n", " "})  // of "Bearer KEY" also KEY, which may come alone
            add(split_list(header.substr(header.find(':') + 1), separator));
    std::erase_if(secrets, [](const std::string& secret) { return secret.size() < least_secret; });
    std::ranges::sort(secrets, std::ranges::greater{}, &std::string::size);
    return secrets;
}

Delivery delivery_of(const net::HttpResponse& response, const net::HttpService& service, std::string_view remedy) {
    const auto is = [&](auto... statuses) { return ((response.status == statuses) || ...); };
    if (response.is_ok() || is(409)) return {.status = response.status};
    Delivery delivery{.outcome = Outcome::later,
                      .reason = fmt::format("it answers {}: {}", response.status, shown_body(response, service)),
                      .wait = asked_wait(response),
                      .status = response.status};
    if (is(401, 403)) {
        delivery.outcome = Outcome::forbidden;
        delivery.reason += fmt::format(". {}", remedy);
    } else if (is(400, 413, 422)) {
        delivery.outcome = Outcome::refused;
    }
    return delivery;
}

bool is_ended(const Delivery& delivery) {
    return delivery.outcome == Outcome::later || delivery.outcome == Outcome::forbidden;
}

/// What came of one more piece, of which nothing has to be sent again.
void add(Delivery& all, Delivery piece) {
    if (piece.outcome != Outcome::refused) return;
    piece.refused_runs += all.refused_runs;
    all = std::move(piece);
}

/// `found`: the runs that were refused alone before.
Delivery send_piece(const Runs& runs, std::size_t found, const std::function<Delivery(const Runs&)>& send) {
    Delivery delivery = send(runs);
    if (delivery.outcome != Outcome::refused) return delivery;
    if (runs.size() == 1 || found >= most_searched_for) {
        delivery.refused_runs = runs.size();
        return delivery;
    }
    const auto middle = runs.begin() + static_cast<std::ptrdiff_t>(runs.size() / 2);
    Delivery both = send_piece({runs.begin(), middle}, found, send);
    if (is_ended(both)) return both;
    Delivery rest = send_piece({middle, runs.end()}, found + both.refused_runs, send);
    if (is_ended(rest)) return rest;
    add(both, std::move(rest));
    return both;
}

}  // namespace

std::string shown_body(const net::HttpResponse& response, const net::HttpService& service) {
    std::string body = response.body;
    for (const std::string& secret : secrets_of(service))
        for (std::size_t at = body.find(secret); at != std::string::npos; at = body.find(secret, at))
            body.replace(at, secret.size(), "***");
    return printable(first_characters(body, shown_characters));
}

Delivery send_in_pieces(const Runs& runs, const BatchLimits& limits, const std::function<Delivery(const Runs&)>& send) {
    Delivery all;
    for (std::size_t at = 0; at < runs.size();) {
        Runs piece;
        for (std::size_t bytes = 0; at < runs.size() && piece.size() < limits.runs; ++at) {
            bytes += runs[at]->bytes();
            if (!piece.empty() && bytes > limits.bytes) break;
            piece.push_back(runs[at]);
        }
        Delivery delivery = send_piece(piece, all.refused_runs, send);
        if (is_ended(delivery)) return delivery;
        add(all, std::move(delivery));
    }
    return all;
}

Delivery send_once(net::HttpClient& client, net::HttpRequest request, const std::stop_token& stop,
                   std::string_view remedy) {
    request.tries = 1;
    request.most_body_bytes = most_answer_bytes;
    client.limit({.stop = stop, .tries = 1});
    try {
        return delivery_of(client.send(request), client.service(), remedy);
    } catch (const Error& error) {
        return {.outcome = Outcome::later, .reason = error.happened()};
    }
}

}  // namespace decant::trace::detail
