#pragma once

#include <memory>
#include <utility>

#include "net/http_server.hpp"

namespace decant::test {

/// Answers at once with the request: "METHOD target body".
inline void echo(const std::shared_ptr<net::Exchange>& exchange) {
    const net::ServerRequest& request = exchange->request();
    exchange->reply({.headers = {{"Content-Type", "text/plain"}},
                     .body = request.method + " " + request.target + " " + request.body});
}

/// A server on a free port of 127.0.0.1 whose refusals are their detail.
inline std::unique_ptr<net::HttpServer> serve(net::HttpServer::Handle handle, net::ServerSetup setup = {}) {
    setup.port = 0;
    return std::make_unique<net::HttpServer>(std::move(setup), std::move(handle), [](const net::Refusal& refusal) {
        return net::ServerResponse{.status = refusal.status, .body = refusal.detail};
    });
}

}  // namespace decant::test
