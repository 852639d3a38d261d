#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>

namespace decant::api {

/// A position in the write-ahead log, in bytes: pg_lsn - '0/0'.
using WalPosition = std::uint64_t;

/// The same, of what was asked with pg_current_wal_insert_lsn(): that stands behind the header of a page which nothing
/// was written to yet, where no standby gets before the next record.
constexpr WalPosition end_of_last_record(WalPosition inserted) noexcept {
    constexpr WalPosition page = 8192;
    constexpr WalPosition page_header = 24;
    return inserted % page == page_header ? inserted - page_header : inserted;
}

struct ReplicaLag {
    std::uint64_t bytes = 0;
    /// How old what it answers may be; none: it has nothing yet of what the primary was seen to have.
    std::optional<double> seconds = 0;
};

struct LagLimits {
    std::uint64_t bytes = 16U << 20U;
    double seconds = 10;
};

/// Where the primary was when: tells how long ago a replica had all of it, by one clock, and right for a primary that
/// writes nothing, of which the time of the last transaction says nothing. One thread at a time.
class PrimaryHistory {
public:
    using Time = std::chrono::steady_clock::time_point;

    /// In the order of time.
    void note(WalPosition position, Time at);
    /// None before the first note.
    std::optional<ReplicaLag> lag_of(WalPosition replayed, Time now) const;

private:
    struct Sample {
        WalPosition position;
        Time last_seen;
    };
    std::deque<Sample> samples_;
};

/// One that was left comes back at half of the limits, so that it does not come and go.
bool is_near_enough(const ReplicaLag& lag, const LagLimits& limits, bool is_used) noexcept;

}  // namespace decant::api
