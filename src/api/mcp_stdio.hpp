#pragma once

#include <functional>

#include "api/server.hpp"

namespace decant::api {

struct McpStdio {
    int in = 0;
    int out = 1;
    std::function<bool()> is_end_asked = [] { return false; };  ///< looked at ten times a second
};

/// The Model Context Protocol over a pair of streams: one message a line, whose answers go out in the order in which
/// they are ready. Messages become requests to the server's own route of the protocol. Returns when the input ends or
/// nobody reads the output, after what is under way was answered; at most ten seconds later.
void serve_mcp(Server& server, const McpStdio& streams);

}  // namespace decant::api
