#include "migrate/copy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <thread>

#include "core/interrupt.hpp"
#include "migrate/detail/copy_job.hpp"

namespace decant::migrate {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

/// How long failures that pass by themselves are waited for: five tries of a statement, a minute for a server, each
/// counted anew after a page was committed.
class RetryBudget {
public:
    /// Waits before the next try; false when the budget is spent.
    bool wait(const Error& error, bool had_progress, CopyObserver& observer) {
        if (had_progress || failures_ == 0) {
            failures_ = 0;
            first_failure_ = Clock::now();
        }
        ++failures_;
        const bool is_away = error.code() == ErrorCode::store_unavailable || error.code() == ErrorCode::commit_in_doubt;
        if (is_away ? Clock::now() - first_failure_ > 60s : failures_ >= 5) return false;
        const auto longest = std::min<std::chrono::milliseconds>(50ms * (1 << std::min(failures_, 6)), 2s);
        std::uniform_int_distribution<std::int64_t> jitter{longest.count() / 2, longest.count()};
        observer.note(fmt::format("{}: {}; trying again", traits_of(error.code()).name, error.happened()));
        return !sleep_interruptibly(std::chrono::milliseconds{jitter(random_)});
    }

private:
    static bool sleep_interruptibly(std::chrono::milliseconds span) {
        const auto end = Clock::now() + span;
        while (Clock::now() < end && !interrupted()) std::this_thread::sleep_for(20ms);
        return interrupted().has_value();
    }

    int failures_ = 0;
    Clock::time_point first_failure_;
    std::mt19937 random_{std::random_device{}()};
};

}  // namespace

CopyReport copy_collection(const CopyRequest& request, CopyObserver& observer) {
    RetryBudget budget;
    bool was_under_way = false;
    for (;;) {
        detail::CopyJob job{request, observer};
        try {
            return job.run();
        } catch (const Error& error) {
            observer.end_phase();
            was_under_way = was_under_way || job.is_under_way();
            const bool may_pass = was_under_way || error.code() != ErrorCode::store_unavailable;
            if (!error.is_retryable() || !may_pass || !budget.wait(error, job.pages_done() > 0, observer)) {
                const bool is_interrupted = error.code() == ErrorCode::cancelled;
                job.mark(is_interrupted ? "stopped" : "failed");
                if (!is_interrupted) throw;
                throw Error{error.code(), error.happened(), "Go on with: " + request.command_line};
            }
        }
    }
}

}  // namespace decant::migrate
