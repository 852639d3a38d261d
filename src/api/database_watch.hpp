#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>

#include "pg/connection.hpp"
#include "pg/connection_cut.hpp"

namespace decant::api {

/// Looks whether the database answers, on a connection and a thread of its own, so that requests need not find out one
/// by one: while it is away they are refused at once. One whose processes stand still is away too: what waits for it is
/// cut.
class DatabaseWatch {
public:
    /// A connection that others wait on, while it is used. One thread at a time.
    class Waiting {
    public:
        Waiting(DatabaseWatch& watch, pg::Connection& db);
        Waiting(const Waiting&) = delete;
        Waiting& operator=(const Waiting&) = delete;
        ~Waiting();

    private:
        DatabaseWatch& watch_;
        pg::ConnectionCut cut_;
    };

    /// What is looked at besides, every few seconds while the database answers. Errors count as an absence.
    using Look = std::function<void(pg::Connection& db)>;

    DatabaseWatch(std::string conninfo, Look look);
    DatabaseWatch(const DatabaseWatch&) = delete;
    DatabaseWatch& operator=(const DatabaseWatch&) = delete;
    ~DatabaseWatch();

    bool is_up() const noexcept { return is_up_; }
    /// Grows with every return of the database: connections of before are not to be used any more.
    std::uint64_t generation() const noexcept { return generation_; }
    /// A connection broke: the database is away until it answered again.
    void report_failure();
    /// Looks now.
    void look_now();

private:
    void watch();
    bool ask();
    void cut_if_silent(std::chrono::steady_clock::time_point asked);

    std::string conninfo_;
    Look look_;
    std::optional<pg::Connection> db_;
    std::chrono::steady_clock::time_point looked_{};
    std::atomic<bool> is_up_{false};
    std::atomic<std::uint64_t> generation_{0};
    std::mutex waiting_mutex_;
    std::set<const pg::ConnectionCut*> waiting_;
    std::mutex mutex_;
    std::condition_variable wakes_;
    bool is_ending_ = false;
    bool is_asked_ = false;
    std::atomic<bool> must_look_{false};
    std::thread thread_;
};

}  // namespace decant::api
