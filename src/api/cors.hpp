#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace decant::api {

using HeaderList = std::vector<std::pair<std::string, std::string>>;

/// Which web pages of other origins may read answers (Fetch Standard, CORS). Nobody's unless they are named.
/// Credentials are bearer tokens, so none that a browser adds by itself are ever allowed. Any thread.
class Cors {
public:
    Cors() = default;
    /// Of a list with commas: https://shop.example, http://localhost:3000. Throws Error{config_invalid}.
    explicit Cors(std::string_view origins);

    bool allows(std::string_view origin) const;
    /// For every answer to a request with this Origin (empty: without one), errors too.
    HeaderList response_headers(std::string_view origin) const;
    /// For the answer, 204, to OPTIONS with Access-Control-Request-Method; `methods` are the route's: "GET, POST".
    HeaderList preflight_headers(std::string_view origin, std::string_view methods) const;

private:
    std::vector<std::string> origins_;
};

}  // namespace decant::api
