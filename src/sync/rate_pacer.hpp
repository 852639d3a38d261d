#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <stop_token>

#include "core/interrupt.hpp"

namespace decant::sync {

/// The least time from one request to the next, retries among them. One thread at a time.
class RatePacer {
public:
    using Clock = std::chrono::steady_clock;
    /// False: to be ended.
    using Sleep = std::function<bool(std::chrono::milliseconds)>;

    /// `since_last`: how long ago a process before made its last request.
    RatePacer(std::chrono::milliseconds interval, std::chrono::milliseconds since_last, Sleep sleep)
        : interval_(interval),
          next_(Clock::now() + std::max(interval - since_last, std::chrono::milliseconds{0})),
          sleep_(std::move(sleep)) {}

    /// Waits for the turn of the next request, and at least `pause`. False: to be ended.
    bool wait(std::chrono::milliseconds pause = {}) {
        const auto now = Clock::now();
        const auto turn = std::max(next_, now + pause);
        if (turn > now && !sleep_(std::chrono::ceil<std::chrono::milliseconds>(turn - now))) return false;
        next_ = Clock::now() + interval_;
        return true;
    }

    std::chrono::milliseconds interval() const noexcept { return interval_; }

private:
    std::chrono::milliseconds interval_;
    Clock::time_point next_;
    Sleep sleep_;
};

}  // namespace decant::sync
