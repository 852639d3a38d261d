#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

#include "sync/schedule.hpp"

namespace decant::sync {

/// Begins one sync after the other, when the schedule has one due and when one is asked for.
class Scheduler {
public:
    struct Wanted {
        std::optional<std::string> due = {};  ///< the time of the schedule that it is for
        bool is_full = false;
    };
    struct Setup {
        std::string conninfo;
        std::optional<Schedule> schedule = {};  ///< none: only what is asked for
        /// To its end. Throws Error{busy} while another process syncs.
        std::function<void(const Wanted&, const std::stop_token&)> sync;
        std::chrono::milliseconds look_interval = std::chrono::minutes{1};  ///< at least so often the clock is asked
    };

    explicit Scheduler(Setup setup) : setup_(std::move(setup)) {}

    /// Until it is stopped; once only. What fails is told in the log. A time whose sync could not begin, as while
    /// another one runs, is left out.
    void run(const std::stop_token& stop);

    /// Any thread. False while one is asked for or under way.
    bool ask(bool is_full);

private:
    std::optional<Wanted> next(const std::stop_token& stop);
    std::optional<Wanted> look();
    void sync(const Wanted& wanted, const std::stop_token& stop);

    Setup setup_;
    std::mutex mutex_;
    std::condition_variable_any changed_;
    std::optional<Wanted> asked_;
    bool is_syncing_ = false;

    // Of the thread that runs.
    std::chrono::milliseconds until_look_{};
    std::optional<std::string> tried_;  ///< the last time of the schedule whose sync began, or could not
    std::optional<std::chrono::steady_clock::time_point> tried_besides_;  ///< when one began outside its times
};

}  // namespace decant::sync
