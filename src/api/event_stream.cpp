#include "api/event_stream.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace decant::api {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds look_interval = 200ms;

}  // namespace

EventStream::EventStream(net::Exchange& exchange, net::ServerResponse response, std::stop_token draining,
                         std::chrono::milliseconds heartbeat)
    : exchange_(exchange),
      draining_(std::move(draining)),
      heartbeat_(heartbeat),
      written_(std::chrono::steady_clock::now()) {
    response.headers.emplace_back("Content-Type", "text/event-stream");
    response.headers.emplace_back("Cache-Control", "no-cache");
    response.headers.emplace_back("X-Accel-Buffering", "no");
    exchange_.begin_stream(std::move(response));
    heart_ = std::jthread{[this](const std::stop_token& over) { beat(over); }};
}

EventStream::~EventStream() {
    heart_.request_stop();
    heart_.join();
    exchange_.end_stream();
}

bool EventStream::send(std::string_view id, std::string_view data) {
    return write(fmt::format("id: {}\ndata: {}\n\n", id, data));
}

bool EventStream::write(std::string text) {
    {
        const std::lock_guard lock{mutex_};
        written_ = std::chrono::steady_clock::now();
    }
    return exchange_.write(std::move(text));
}

void EventStream::beat(const std::stop_token& over) {
    std::unique_lock lock{mutex_};
    while (!over.stop_requested()) {
        wakes_.wait_for(lock, over, std::min(look_interval, heartbeat_), [] { return false; });
        if (over.stop_requested()) return;
        std::string text;
        if (draining_.stop_requested() && !has_told_) {
            has_told_ = true;
            text = "event: shutdown\nretry: 1000\ndata: {}\n\n";
        } else if (std::chrono::steady_clock::now() - written_ > heartbeat_) {
            text = ": still here\n\n";
        }
        if (text.empty()) continue;
        lock.unlock();
        write(std::move(text));
        lock.lock();
    }
}

}  // namespace decant::api
