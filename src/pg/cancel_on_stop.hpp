#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>

#include "pg/connection.hpp"

struct pg_cancel;

namespace decant::pg {

/// From when `stop` is asked for until this object goes, whatever the connection runs is cancelled, and thrown as
/// Error{timed_out}: again and again, since the next statement may be about to start. `db` must outlive it; a thread of
/// its own does the work, so that whoever stops never waits.
class CancelOnStop {
public:
    CancelOnStop(Connection& db, std::stop_token stop);
    CancelOnStop(const CancelOnStop&) = delete;
    CancelOnStop& operator=(const CancelOnStop&) = delete;
    ~CancelOnStop();

private:
    struct Notify {
        CancelOnStop* watch;
        void operator()() const noexcept;
    };
    void watch();

    std::unique_ptr<pg_cancel, void (*)(pg_cancel*)> cancel_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool is_stopped_ = false;
    bool is_over_ = false;
    std::thread thread_;
    std::optional<std::stop_callback<Notify>> callback_;
};

}  // namespace decant::pg
