#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/scope.hpp"
#include "core/json.hpp"
#include "tests/support/raw_client.hpp"

namespace decant::test {

/// A good request to one operation of an OpenAPI document.
struct RouteCall {
    std::string method;
    std::string path;    ///< as the document has it
    std::string target;  ///< its names and its query filled in
    api::Scope scope = api::Scope::open;
    std::string body;
    json::object responses;  ///< of the document
};

/// One call of each operation; {product_id} is `product`.
std::vector<RouteCall> calls_of(const json::object& document, const std::string& product);

/// Sends it to that port of 127.0.0.1 on a connection of its own. Throws std::runtime_error without an answer.
RawAnswer send_call(std::uint16_t port, const RouteCall& call, const std::vector<std::string>& headers);

/// What of the answer the document does not declare: its status, its type, a member. Empty: nothing.
std::string shape_fault(const json::object& document, const RouteCall& call, const RawAnswer& answer);

}  // namespace decant::test
