#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <utility>

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
        return [this](std::shared_ptr<net::Exchange> exchange) {
            {
                const std::lock_guard lock{mutex_};
                held_.push_back(std::move(exchange));
            }
            has_more_.notify_one();
        };
    }

    /// Waits for one; throws std::runtime_error after 20 s.
    std::shared_ptr<net::Exchange> next() {
        std::unique_lock lock{mutex_};
        if (!has_more_.wait_for(lock, std::chrono::seconds{20}, [this] { return !held_.empty(); })) {
            throw std::runtime_error("no request came");
        }
        std::shared_ptr<net::Exchange> first = std::move(held_.front());
        held_.pop_front();
        return first;
    }

private:
    std::mutex mutex_;
    std::condition_variable has_more_;
    std::deque<std::shared_ptr<net::Exchange>> held_;
};

/// A server on a free port of 127.0.0.1 whose refusals are their detail.
inline std::unique_ptr<net::HttpServer> serve(net::HttpServer::Handle handle, net::ServerSetup setup = {}) {
    setup.port = 0;
    return std::make_unique<net::HttpServer>(std::move(setup), std::move(handle), [](const net::Refusal& refusal) {
        return net::ServerResponse{.status = refusal.status, .body = refusal.detail};
    });
}

}  // namespace decant::test
