#pragma once

#include <functional>

#include "net/http_client.hpp"
#include "trace/sink.hpp"

namespace decant::trace::detail {

/// One request, one try: whoever delivers decides when to try again. `remedy` is for what is forbidden. Refused is what
/// was found fault with (400, 413, 422); any other status may pass, as that of a proxy whose server is being replaced.
/// Throws nothing but what is no decant::Error.
Delivery send_once(net::HttpClient& client, net::HttpRequest request, const std::stop_token& stop,
                   std::string_view remedy);

/// Sends runs in pieces within `limits`. Of a piece that is refused the halves are sent, until the run that is at fault
/// is found: it takes no other with it, unless most_searched_for were found before. What is to be sent later, or is
/// forbidden, ends it.
Delivery send_in_pieces(const Runs& runs, const BatchLimits& limits, const std::function<Delivery(const Runs&)>& send);

/// The beginning of an answer's body, for a message. It may repeat what it was asked with: header values and whatever
/// `service` has in its URL besides host and port are ***.
std::string shown_body(const net::HttpResponse& response, const net::HttpService& service);

}  // namespace decant::trace::detail
