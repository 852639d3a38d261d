#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/http_head.hpp"

namespace decant::net {

/// Names in lower case, in the order of arrival.
using Headers = std::vector<std::pair<std::string, std::string>>;

/// The value of the only header of that name (lower case); empty where there is none.
std::string_view header(const Headers& headers, std::string_view name) noexcept;

/// A request that arrived whole and is HTTP: its target is printable ASCII, its Host unique.
struct ServerRequest {
    std::string method;
    std::string target;  ///< as sent, "/api/v1/x?y=z"
    Headers headers;
    std::string body;
    std::string peer;  ///< numeric address without port
    bool is_loopback = false;
    std::chrono::steady_clock::time_point arrived;  ///< of its last byte
};

/// Content-Length, Connection and Date are the server's to add.
struct ServerResponse {
    int status = 200;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
};

/// One request and the way back to its client. May be answered from any thread, once: by reply(), or by
/// begin_stream(), any number of write() and end_stream(). What is dropped unanswered is answered with 500; a stream
/// that is dropped before its end is cut, so that the client can tell. May outlive the server.
class Exchange {
public:
    virtual ~Exchange() = default;
    virtual const ServerRequest& request() const noexcept = 0;
    /// Stopped when the client has left or sends no more, or the server ends at once. Callbacks on it run on the
    /// server's thread and must not block.
    virtual std::stop_token left() const noexcept = 0;
    virtual void reply(ServerResponse response) = 0;

    /// The body of `response` is the stream's first part. Later parts are sent as they are written.
    virtual void begin_stream(ServerResponse response) = 0;
    /// False when nobody reads any more. Waits while the client is slower than what is written for it (64 KiB behind),
    /// so not within `handle`.
    virtual bool write(std::string bytes) = 0;
    virtual void end_stream() = 0;
};

struct ServerSetup {
    std::string host = "127.0.0.1";
    std::uint16_t port = 8000;     ///< 0: any free one
    std::string certificate = {};  ///< PEM files; both or none: TLS, at least 1.2
    std::string private_key = {};
    std::size_t most_header_bytes = 16 * 1024;  ///< request line and headers
    std::size_t most_target_bytes = 8 * 1024;
    std::size_t most_headers = 100;
    std::size_t most_body_bytes = 1024 * 1024;
    std::size_t most_bodies_bytes = 256UL
                                    << 20U;  ///< of all that come at once; over it the one that takes longest goes
    std::size_t most_connections = 0;  ///< 0: what the process may open less a reserve; the longest idle one is closed
    std::chrono::milliseconds header_timeout{10'000};
    std::chrono::milliseconds body_timeout{10'000};   ///< between two of its parts
    std::chrono::milliseconds body_total{60'000};     ///< all of it
    std::chrono::milliseconds write_timeout{30'000};  ///< without progress
    std::chrono::milliseconds idle_timeout{75'000};   ///< between two requests
};

struct ServerCounts {
    std::uint64_t open = 0;      ///< connections now
    std::uint64_t idle = 0;      ///< of these, between two requests
    std::uint64_t accepted = 0;  ///< since the start
    std::uint64_t refused = 0;   ///< requests refused by the server itself
    std::uint64_t closed_for_room = 0;
};

/// HTTP/1.1 (and 1.0) over TCP, optionally TLS. One thread reads and writes; it calls `handle`, which must not block
/// and hands the exchange on. `refuse` words the answer to what is no acceptable request, on that thread too. All other
/// functions are for any other thread.
class HttpServer {
public:
    using Handle = std::function<void(std::shared_ptr<Exchange>)>;
    using Refuse = std::function<ServerResponse(const Refusal&)>;

    /// Listens at once. Throws Error{config_invalid}: address in use or not of this machine, certificate or key that
    /// cannot be read or do not belong together.
    HttpServer(ServerSetup setup, Handle handle, Refuse refuse);
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;
    /// stop()s.
    ~HttpServer();

    std::uint16_t port() const noexcept;
    ServerCounts counts() const noexcept;

    /// Reads certificate and key again for connections to come; on failure throws Error and keeps the old ones.
    void reload_certificate();

    /// No new connections; what is under way is answered with "Connection: close"; connections that stay idle for half
    /// a second are closed.
    void drain();
    /// True when no connection is left; waits up to `span`.
    bool wait_drained(std::chrono::milliseconds span);
    /// Closes all at once and joins the thread.
    void stop();

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace decant::net
