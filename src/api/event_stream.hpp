#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>

#include "net/http_server.hpp"

namespace decant::api {

/// Server-sent events (HTML standard, 9.2) as the answer to one exchange. A comment is sent when nothing else was for
/// `heartbeat`, so that proxies keep the connection; when the server is about to end, an event "shutdown". Any thread.
class EventStream {
public:
    /// Begins the answer with these headers besides the stream's own.
    EventStream(net::Exchange& exchange, net::ServerResponse response, std::stop_token draining,
                std::chrono::milliseconds heartbeat = std::chrono::seconds{15});
    EventStream(const EventStream&) = delete;
    EventStream& operator=(const EventStream&) = delete;
    /// Ends the answer.
    ~EventStream();

    /// `data` is one line. False when nobody reads any more.
    bool send(std::string_view id, std::string_view data);

private:
    bool write(std::string text);
    void beat(const std::stop_token& over);

    net::Exchange& exchange_;
    std::stop_token draining_;
    std::chrono::milliseconds heartbeat_;
    std::mutex mutex_;
    std::condition_variable_any wakes_;
    std::chrono::steady_clock::time_point written_;
    bool has_told_ = false;  ///< of the shutdown
    std::jthread heart_;
};

}  // namespace decant::api
