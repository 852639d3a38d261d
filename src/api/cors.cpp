#include "api/cors.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.hpp"
#include "core/split_list.hpp"
#include "core/utf8.hpp"

namespace decant::api {
namespace {

constexpr std::string_view request_headers =
    "Authorization, Content-Type, Idempotency-Key, Last-Event-ID, MCP-Protocol-Version, X-Request-Id, traceparent";
constexpr std::string_view exposed_headers =
    "X-Request-Id, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, Retry-After, WWW-Authenticate";

/// As browsers write it: scheme and host in lower case, no path.
bool is_origin(std::string_view text) {
    for (const std::string_view scheme : {"http://", "https://"}) {
        if (!text.starts_with(scheme)) continue;
        const std::string_view host = text.substr(scheme.size());
        return !host.empty() &&
               host.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.-_:[]") == std::string_view::npos;
    }
    return false;
}

}  // namespace

Cors::Cors(std::string_view origins) {
    for (const std::string_view origin : split_list(origins)) {
        if (!is_origin(origin)) {
            throw Error{ErrorCode::config_invalid,
                        fmt::format("DECANT_CORS_ORIGINS has '{}', which is no origin", printable(origin)),
                        "Name each by scheme, host and port as browsers send it, as in: https://shop.example, "
                        "http://localhost:3000. There is none that means all."};
        }
        origins_.emplace_back(origin);
    }
}

bool Cors::allows(std::string_view origin) const {
    return std::ranges::find(origins_, origin) != origins_.end();
}

HeaderList Cors::response_headers(std::string_view origin) const {
    if (origins_.empty()) return {};
    HeaderList headers{{"Vary", "Origin"}};
    if (allows(origin)) {
        headers.emplace_back("Access-Control-Allow-Origin", origin);
        headers.emplace_back("Access-Control-Expose-Headers", exposed_headers);
    }
    return headers;
}

HeaderList Cors::preflight_headers(std::string_view origin, std::string_view methods) const {
    if (origins_.empty()) return {};
    HeaderList headers{{"Vary", "Origin"}};
    if (allows(origin)) {
        headers.emplace_back("Access-Control-Allow-Origin", origin);
        headers.emplace_back("Access-Control-Allow-Methods", methods);
        headers.emplace_back("Access-Control-Allow-Headers", request_headers);
        headers.emplace_back("Access-Control-Max-Age", "600");
    }
    return headers;
}

}  // namespace decant::api
