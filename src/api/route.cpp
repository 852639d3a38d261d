#include "api/route.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/error.hpp"
#include "core/utf8.hpp"

namespace decant::api {
namespace {

std::string decoded(std::string_view segment) {
    std::string out;
    for (std::size_t i = 0; i < segment.size(); ++i) {
        if (segment[i] == '%' && i + 2 < segment.size()) {
            unsigned byte = 0;
            std::from_chars(segment.data() + i + 1, segment.data() + i + 3, byte, 16);
            out.push_back(static_cast<char>(byte));
            i += 2;
        } else {
            out.push_back(segment[i]);
        }
    }
    return valid_utf8(out);
}

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
            values.push_back(decoded(given));
        else if (wanted != given)
            return std::nullopt;
    }
    if (!pattern.empty() || !path.empty()) return std::nullopt;
    return values;
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
