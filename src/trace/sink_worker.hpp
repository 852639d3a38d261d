#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "trace/detail/backoff.hpp"
#include "trace/sink.hpp"
#include "trace/spool.hpp"

namespace decant::trace {

struct SinkSetup {
    std::size_t most_runs = 10'000;  ///< that wait in memory; then the oldest are dropped
    std::size_t most_bytes = 64UL << 20U;
    std::filesystem::path spool = {};  ///< empty: nothing waits on the disk
    std::size_t most_spooled = 100UL << 20U;
    std::chrono::milliseconds linger{200};       ///< for more runs to come before a delivery
    std::chrono::milliseconds first_pause{500};  ///< after a failure; then twice as long each time
    std::chrono::milliseconds longest_pause{60'000};
};

struct SinkCounts {
    std::string sink;
    std::uint64_t sent = 0;     ///< runs
    std::uint64_t dropped = 0;  ///< for want of room, and with damaged files
    std::uint64_t refused = 0;  ///< by the other side, in words or by failing at them alone
    std::uint64_t waiting = 0;  ///< in memory
    std::uint64_t spooled_bytes = 0;
    bool is_forbidden = false;
};

/// Brings records to one sink from a thread of its own. While the sink fails, or is slower than they come, they wait on
/// the disk, and in memory where there is no spool; the oldest are dropped and counted where there is no room. A file
/// that fails lets others go first; one that fails again and again while others are taken is halved, until the run
/// that the sink breaks at is found, and refused. Any thread.
class SinkWorker {
public:
    SinkWorker(std::unique_ptr<Sink> sink, SinkSetup setup);
    SinkWorker(const SinkWorker&) = delete;
    SinkWorker& operator=(const SinkWorker&) = delete;
    /// end()s now.
    ~SinkWorker();

    /// Never waits for the sink.
    void push(SharedRecord record);
    SinkCounts counts() const;

    /// What waits is delivered where the sink is well, else put on the disk. Returns at once.
    void begin_end();
    /// Waits for it until `deadline`.
    void await_end(std::chrono::steady_clock::time_point deadline);
    /// What is under way, and goes to the disk. Returns at once.
    void break_off() { hard_stop_.request_stop(); }
    /// Waits for it until `deadline`; then what is under way is broken off.
    void end(std::chrono::steady_clock::time_point deadline);

private:
    using Clock = std::chrono::steady_clock;
    struct Waiting {
        SharedRecord record;
        Clock::time_point at;
    };
    using Batch = std::vector<SharedRecord>;

    void run();
    /// Whether it wrote to the disk for want of room in memory.
    bool step();
    void flush();
    bool is_due(Clock::time_point now) const;
    Clock::time_point next_look(Clock::time_point now) const;
    bool is_half_full() const;
    Batch take(const BatchLimits& limits);
    void give_back(Batch batch);
    void drop_over_limit();
    void keep(Batch batch);
    void send_spooled();
    void send_stored(const Runs& runs);
    void put_off(const Runs& runs, Delivery delivery);
    void let_others_go_first();
    void send(Batch batch);
    void pause(std::chrono::milliseconds asked);
    void note(const Delivery& delivery, std::size_t runs);
    void note_spool();

    const std::unique_ptr<Sink> sink_;
    const SinkSetup setup_;

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Waiting> waiting_;
    std::size_t waiting_bytes_ = 0;
    SinkCounts counts_;
    bool is_ending_ = false;
    bool has_ended_ = false;
    bool has_spooled_ = false;

    // Of the thread.
    std::optional<Spool> spool_;
    Clock::time_point next_try_{};
    detail::Backoff backoff_;
    std::uint64_t taken_ = 0;       ///< deliveries
    std::size_t files_before_ = 0;  ///< what waits in memory gets its turn
    bool is_relieving_ = false;     ///< what waits goes to the disk, until little is left
    bool was_well_ = true;
    bool has_told_of_reading_ = false;  ///< that a file cannot be read now

    std::stop_source hard_stop_;
    std::thread thread_;  ///< last: it uses the others
};

}  // namespace decant::trace
