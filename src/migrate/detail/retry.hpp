#pragma once

#include <chrono>
#include <random>
#include <string>

#include "chroma/record_reader.hpp"
#include "core/error.hpp"
#include "migrate/copy.hpp"

namespace decant::migrate::detail {

inline bool is_server_away(ErrorCode code) noexcept {
    return code == ErrorCode::store_unavailable || code == ErrorCode::source_unavailable ||
           code == ErrorCode::embedder_unavailable;
}

/// How long failures that pass by themselves are waited for: five tries of a statement, a minute for a server, each
/// counted anew after a page was committed; three readings of a source that changes.
class RetryBudget {
public:
    /// Waits before the next try; false when the budget is spent or the wait was interrupted.
    bool wait(const Error& error, bool had_progress, CopyObserver& observer);

private:
    int failures_ = 0;
    int changes_ = 0;
    std::chrono::steady_clock::time_point first_failure_;
    std::mt19937 random_{std::random_device{}()};
};

/// Runs attempts until one ends or a failure does not pass. A job has run(), mark(state), pages_done(), is_under_way().
template <typename MakeJob>
auto run_with_retries(const MakeJob& make_job, CopyObserver& observer) {
    RetryBudget budget;
    bool was_under_way = false;
    for (;;) {
        auto job = make_job();
        try {
            return job.run();
        } catch (const Error& error) {
            observer.end_phase();
            was_under_way = was_under_way || job.is_under_way();
            // A server that was never there is a wrong address, not worth waiting for.
            const bool may_pass = error.is_retryable() && (was_under_way || !is_server_away(error.code()));
            if (may_pass && budget.wait(error, job.pages_done() > 0, observer)) continue;
            job.mark(error.code() == ErrorCode::cancelled ? "stopped" : "failed");
            throw;
        }
    }
}

/// Sets the run's state if the server still takes it: the error under way is the one to report.
void mark_run(pg::Connection& db, std::int64_t run_id, const std::string& state) noexcept;

/// What a copy without --allow-partial stops with.
Error lost_records_error(const std::string& source, const chroma::RecordReader& reader);

}  // namespace decant::migrate::detail
