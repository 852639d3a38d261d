#pragma once

#include <boost/asio/io_context.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <list>
#include <mutex>
#include <optional>
#include <utility>

#include "net/http_head.hpp"
#include "net/http_server.hpp"

namespace decant::net {

class Connection;

/// What a server's connections share. The I/O thread's, but for the counts and what tells that the last one ended. It
/// lives as long as an exchange does, which may be longer than the server.
struct ServerCore {
    using Clock = std::chrono::steady_clock;

    struct Counters {
        std::atomic<std::uint64_t> open{0};
        std::atomic<std::uint64_t> idle{0};
        std::atomic<std::uint64_t> accepted{0};
        std::atomic<std::uint64_t> refused{0};
        std::atomic<std::uint64_t> closed_for_room{0};
    };

    ServerCore(ServerSetup with, HttpServer::Handle to_handle, HttpServer::Refuse to_refuse)
        : setup(std::move(with)), handle(std::move(to_handle)), refuse(std::move(to_refuse)) {}

    HeadLimits head_limits() const noexcept {
        return {.most_bytes = setup.most_header_bytes,
                .most_target_bytes = setup.most_target_bytes,
                .most_headers = setup.most_headers};
    }

    const ServerSetup setup;
    const HttpServer::Handle handle;
    const HttpServer::Refuse refuse;
    Counters counters;
    std::mutex mutex;
    std::condition_variable has_ended;  ///< the last connection
    std::list<Connection*> connections;
    std::list<Connection*> waiting;  ///< those that sent no whole request yet, the longest wait first
    std::list<Connection*> bodies;   ///< of those, the ones whose body comes, in their order
    std::size_t body_bytes = 0;      ///< of all of them
    std::optional<Clock::time_point> drain_start;
    boost::asio::io_context io{1};
};

}  // namespace decant::net
