#pragma once

#include "net/http_client.hpp"
#include "trace/sink.hpp"

namespace decant::trace::detail {

/// One request, one try: whoever delivers decides when to try again. `remedy` is for what is forbidden. Throws nothing
/// but what is no decant::Error.
Delivery send_once(net::HttpClient& client, net::HttpRequest request, const std::stop_token& stop,
                   std::string_view remedy);

/// What a status means to a delivery.
Delivery delivery_of(const net::HttpResponse& response, std::string_view remedy);

}  // namespace decant::trace::detail
