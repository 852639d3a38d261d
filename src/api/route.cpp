#include "api/route.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.hpp"
#include "core/utf8.hpp"
#include "net/url.hpp"

namespace decant::api {
namespace {

std::string_view next_segment(std::string_view& path) {
    path.remove_prefix(1);
    const std::size_t end = std::min(path.find('/'), path.size());
    const std::string_view segment = path.substr(0, end);
    path.remove_prefix(end);
    return segment;
}

/// What stands in the places of {names}; none where the path is another one.
std::optional<std::vector<std::string>> match(std::string_view pattern, std::string_view path) {
    std::vector<std::string> values;
    while (!pattern.empty() && !path.empty()) {
        const std::string_view wanted = next_segment(pattern);
        const std::string_view given = next_segment(path);
        if (wanted.starts_with('{') && !given.empty())
            values.push_back(valid_utf8(net::percent_decoded(given)));
        else if (wanted != given)
            return std::nullopt;
    }
    if (!pattern.empty() || !path.empty()) return std::nullopt;
    return values;
}

bool is_json(std::string_view content_type) {
    std::string_view type = content_type.substr(0, content_type.find(';'));
    while (type.ends_with(' '))
        type.remove_suffix(1);
    return std::ranges::equal(type, std::string_view{"application/json"},
                              [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; });
}

}  // namespace

std::optional<std::string_view> sent_header(const net::ServerRequest& request, std::string_view name) {
    const auto count = std::ranges::count_if(request.headers, [&](const auto& header) { return header.first == name; });
    if (count == 0) return std::nullopt;
    const std::string_view value = net::header(request.headers, name);
    if (!value.empty()) return value;
    throw Error{ErrorCode::request_malformed,
                fmt::format("The header {} {}", name, count > 1 ? "stands more than once" : "is empty"),
                "Send it once with a value, or not at all."};
}

void require_json(const net::ServerRequest& request) {
    if (is_json(net::header(request.headers, "content-type"))) return;
    throw Error{ErrorCode::unsupported_media_type, "The body's Content-Type is not application/json",
                "Send JSON with the header Content-Type: application/json."};
}

std::string_view path_of(std::string_view target) noexcept {
    return target.substr(0, target.find('?'));
}

std::string_view query_of(std::string_view target) noexcept {
    const std::size_t mark = target.find('?');
    return mark == std::string_view::npos ? std::string_view{} : target.substr(mark + 1);
}

RouteTable::RouteTable(std::vector<Route> routes) : routes_(std::move(routes)) {}

RouteTable::Found RouteTable::find(std::string_view method, std::string_view target) const {
    const std::string_view path = path_of(target);
    const std::string_view wanted = method == "HEAD" ? "GET" : method;
    Found found;
    for (const Route& route : routes_) {
        auto values = match(route.path, path);
        if (!values) continue;
        if (route.method == wanted) return {.route = &route, .path = std::move(*values), .allowed = {}};
        if (!found.allowed.empty()) found.allowed += ", ";
        found.allowed += route.method == "GET" ? "GET, HEAD" : route.method;
    }
    return found;
}

}  // namespace decant::api
