#pragma once

#include <memory>
#include <utility>

#include "core/bounded_queue.hpp"
#include "net/http_server.hpp"

namespace decant::test {

/// Answers at once with the request: "METHOD target body".
inline void echo(const std::shared_ptr<net::Exchange>& exchange) {
    const net::ServerRequest& request = exchange->request();
    exchange->reply({.headers = {{"Content-Type", "text/plain"}},
                     .body = request.method + " " + request.target + " " + request.body});
}

/// Keeps exchanges until the test takes and answers them.
class HeldExchanges {
public:
    net::HttpServer::Handle handle() {
        return [this](std::shared_ptr<net::Exchange> exchange) { queue_.push(std::move(exchange), 1); };
    }
    /// Waits for one.
    std::shared_ptr<net::Exchange> next() { return queue_.pop().value(); }

private:
    BoundedQueue<std::shared_ptr<net::Exchange>> queue_{1'000};
};

/// A server on a free port of 127.0.0.1 whose refusals are their detail.
inline std::unique_ptr<net::HttpServer> serve(net::HttpServer::Handle handle, net::ServerSetup setup = {}) {
    setup.port = 0;
    return std::make_unique<net::HttpServer>(std::move(setup), std::move(handle), [](const net::Refusal& refusal) {
        return net::ServerResponse{.status = refusal.status, .body = refusal.detail};
    });
}

}  // namespace decant::test
