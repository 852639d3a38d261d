#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

#include "net/http_server.hpp"

namespace decant::net {

/// What one request's handler has written and its connection has not sent yet. The handler's side is an Exchange, see
/// open_exchange(); the connection's is the I/O thread's.
class Outbox {
public:
    /// What is to be sent next.
    struct Part {
        std::optional<ServerResponse> response;  ///< starts the answer
        std::string bytes;                       ///< of a stream, after it
        bool is_stream = false;
        bool is_last = false;
        bool is_dropped = false;  ///< no answer will come

        bool is_empty() const noexcept { return !response && bytes.empty() && !is_last && !is_dropped; }
    };

    /// `wake` tells the connection, from any thread, that there is a part to take.
    Outbox(ServerRequest request, std::function<void()> wake);

    const ServerRequest& request() const noexcept { return request_; }
    std::stop_source& left() noexcept { return left_; }

    /// The connection's side.
    Part take();
    /// A part's bytes went out, so that more may be written.
    void note_sent(std::size_t bytes);
    /// Nothing is sent any more.
    void close();

    /// The handler's side, see Exchange.
    void reply(ServerResponse response);
    void begin_stream(ServerResponse response);
    bool write(std::string bytes);
    void end_stream();
    void drop();

private:
    enum class State { unanswered, streaming, ended };

    void post(std::unique_lock<std::mutex> lock);

    const ServerRequest request_;
    const std::function<void()> wake_;
    std::stop_source left_;
    std::mutex mutex_;
    std::condition_variable has_room_;
    State state_ = State::unanswered;
    Part next_;
    std::size_t unsent_ = 0;
    bool is_posted_ = false;
    bool is_closed_ = false;
};

/// The handler's side of `outbox`.
std::shared_ptr<Exchange> open_exchange(std::shared_ptr<Outbox> outbox);

}  // namespace decant::net
