#include "trace/sink_worker.hpp"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/utf8.hpp"

namespace decant::trace {
namespace {

/// Of one file on the disk: small enough that sending it does not keep the thread from the queue for long. Smaller ones
/// spread the writing over more requests, whose p99 grows (docs/benchmarks.md).
constexpr BatchLimits stored_limits{.runs = 300, .bytes = 4UL << 20U};
/// After a slow delivery thousands of runs wait: written all at once they would take a processor from requests.
constexpr std::chrono::milliseconds pause_between_files{20};
/// Of a file, with something else taken between them: the contract's attempts at what is answered with 5xx.
constexpr int most_failures = 3;
/// At the end there is no time for many files.
constexpr BatchLimits last_limits{.runs = 3'000, .bytes = 16UL << 20U};

Runs runs_of(const std::vector<SharedRecord>& records) {
    Runs runs;
    for (const SharedRecord& record : records)
        for (const Run& run : record->runs)
            runs.push_back(&run);
    return runs;
}

/// Requests go before this thread: what it writes to the disk comes in bursts. Linux has a priority for each thread;
/// where it cannot be had, it goes on as it is.
void step_back() noexcept {
    constexpr int nice = 5;
    setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), nice);
}

/// In threads, what is thrown besides Error would end the process for a trace.
Delivery delivered_by(Sink& sink, const Runs& runs, const std::stop_token& stop) {
    try {
        return sink.deliver(runs, stop);
    } catch (const std::exception& fault) {
        return {.outcome = Outcome::refused, .reason = fault.what(), .refused_runs = runs.size()};
    }
}

}  // namespace

SinkWorker::SinkWorker(std::unique_ptr<Sink> sink, SinkSetup setup)
    : sink_(std::move(sink)), setup_(std::move(setup)), backoff_(setup_.first_pause, setup_.longest_pause) {
    counts_.sink = sink_->name();
    if (!setup_.spool.empty()) {
        spool_.emplace(setup_.spool, setup_.most_spooled);
        files_before_ = spool_->count();
        has_spooled_ = files_before_ > 0;
        counts_.spooled_bytes = spool_->bytes();
    }
    thread_ = std::thread{[this] { run(); }};
}

SinkWorker::~SinkWorker() {
    begin_end();
    end(Clock::now());
}

void SinkWorker::push(SharedRecord record) {
    {
        const std::lock_guard lock{mutex_};
        if (counts_.is_forbidden) return;
        counts_.waiting += record->runs.size();
        waiting_bytes_ += record->bytes;
        waiting_.push_back({std::move(record), Clock::now()});
        drop_over_limit();
    }
    changed_.notify_one();
}

/// Under the lock.
void SinkWorker::drop_over_limit() {
    while (!waiting_.empty() && (counts_.waiting > setup_.most_runs || waiting_bytes_ > setup_.most_bytes)) {
        const Record& oldest = *waiting_.front().record;
        counts_.waiting -= oldest.runs.size();
        counts_.dropped += oldest.runs.size();
        waiting_bytes_ -= oldest.bytes;
        waiting_.pop_front();
    }
}

SinkCounts SinkWorker::counts() const {
    const std::lock_guard lock{mutex_};
    return counts_;
}

void SinkWorker::begin_end() {
    {
        const std::lock_guard lock{mutex_};
        is_ending_ = true;
    }
    changed_.notify_all();
}

void SinkWorker::await_end(Clock::time_point deadline) {
    std::unique_lock lock{mutex_};
    changed_.wait_until(lock, deadline, [&] { return has_ended_; });
}

void SinkWorker::end(Clock::time_point deadline) {
    if (!thread_.joinable()) return;
    await_end(deadline);
    break_off();
    thread_.join();
}

bool SinkWorker::is_half_full() const {
    return counts_.waiting > setup_.most_runs / 2 || waiting_bytes_ > setup_.most_bytes / 2;
}

bool SinkWorker::is_due(Clock::time_point now) const {
    if (is_ending_) return true;
    if (now < next_try_) return spool_ && is_half_full();
    if (has_spooled_) return true;
    const bool is_batch = counts_.waiting >= sink_->limits().runs || is_half_full();
    return !waiting_.empty() && (is_batch || now >= waiting_.front().at + setup_.linger);
}

SinkWorker::Clock::time_point SinkWorker::next_look(Clock::time_point now) const {
    constexpr std::chrono::hours long_enough{1};
    if (!has_spooled_ && waiting_.empty()) return now + long_enough;
    return now < next_try_ ? next_try_ : now + setup_.linger;
}

void SinkWorker::run() {
    if (spool_) step_back();
    for (;;) {
        {
            std::unique_lock lock{mutex_};
            for (auto now = Clock::now(); !is_due(now); now = Clock::now())
                changed_.wait_until(lock, next_look(now));
            if (is_ending_) break;
        }
        if (!step()) continue;
        std::unique_lock lock{mutex_};
        changed_.wait_for(lock, pause_between_files, [this] { return is_ending_; });
    }
    flush();
    {
        const std::lock_guard lock{mutex_};
        has_ended_ = true;
    }
    changed_.notify_all();
}

bool SinkWorker::step() {
    const auto [is_pressed, has_waiting] = [&] {
        const std::lock_guard lock{mutex_};
        // All of it then: the next delivery may be slow again, and what comes meanwhile must find room.
        is_relieving_ = is_half_full() || (is_relieving_ && counts_.waiting > stored_limits.runs);
        return std::pair{Clock::now() < next_try_ || is_relieving_, !waiting_.empty()};
    }();
    const bool is_kept = spool_ && is_pressed;
    if (is_kept)
        keep(take(stored_limits));
    else if (has_spooled_ && (files_before_ > 0 || !has_waiting))
        send_spooled();
    else
        send(take(sink_->limits()));
    return is_kept;
}

void SinkWorker::flush() {
    const auto is_well = [this] { return Clock::now() >= next_try_ && !hard_stop_.stop_requested(); };
    const auto next = [&] { return take(is_well() ? sink_->limits() : last_limits); };
    for (Batch batch = next(); !batch.empty(); batch = next()) {
        if (is_well())
            send(std::move(batch));
        else
            keep(std::move(batch));
        if (!spool_ && !is_well()) break;
    }
}

SinkWorker::Batch SinkWorker::take(const BatchLimits& limits) {
    Batch batch;
    std::size_t runs = 0;
    std::size_t bytes = 0;
    const std::lock_guard lock{mutex_};
    while (!waiting_.empty()) {
        const Record& next = *waiting_.front().record;
        const bool has_room = runs + next.runs.size() <= limits.runs && bytes + next.bytes <= limits.bytes;
        if (!batch.empty() && !has_room) break;
        runs += next.runs.size();
        bytes += next.bytes;
        batch.push_back(std::move(waiting_.front().record));
        waiting_.pop_front();
    }
    counts_.waiting -= runs;
    waiting_bytes_ -= bytes;
    return batch;
}

void SinkWorker::give_back(Batch batch) {
    const std::lock_guard lock{mutex_};
    for (; !batch.empty(); batch.pop_back()) {
        counts_.waiting += batch.back()->runs.size();
        waiting_bytes_ += batch.back()->bytes;
        waiting_.push_front({std::move(batch.back()), Clock::now()});
    }
    drop_over_limit();
}

void SinkWorker::keep(Batch batch) {
    if (batch.empty()) return;
    if (!spool_) {
        give_back(std::move(batch));
        return;
    }
    const Runs runs = runs_of(batch);
    std::size_t dropped = 0;
    try {
        spool_->put(runs);
    } catch (const Error& error) {
        dropped = runs.size();
        log::warning("traces for {} cannot be kept: {}", sink_->name(), printable(error.happened()));
    }
    files_before_ = spool_->count();
    note_spool();
    const std::lock_guard lock{mutex_};
    counts_.dropped += dropped;
}

void SinkWorker::note_spool() {
    const std::lock_guard lock{mutex_};
    counts_.dropped += spool_->take_dropped();
    counts_.spooled_bytes = spool_->bytes();
    has_spooled_ = spool_->count() > 0 && !counts_.is_forbidden;
}

void SinkWorker::send_spooled() {
    std::optional<std::vector<Run>> stored;
    try {
        stored = spool_->next();
    } catch (const Error& error) {
        // This side's fault, as too many open files: the sink is as well as it was, also for what is new.
        if (!std::exchange(has_told_of_reading_, true))
            log::warning("stored traces for {} wait: {}", sink_->name(), printable(error.happened()));
        next_try_ = Clock::now() + setup_.first_pause;
        spool_->skip_next();
        files_before_ = 0;
    }
    if (stored) {
        Runs runs;
        for (const Run& run : *stored)
            runs.push_back(&run);
        send_stored(runs);
    }
    note_spool();
}

void SinkWorker::send_stored(const Runs& runs) {
    const Delivery delivery = delivered_by(*sink_, runs, hard_stop_.get_token());
    if (delivery.outcome == Outcome::later) {
        put_off(runs, delivery);
        return;
    }
    // What is forbidden now may be allowed at the next start.
    if (delivery.outcome != Outcome::forbidden) spool_->remove_next();
    note(delivery, runs.size());
}

/// The file that failed. The sink's failures while nothing is taken are not its own.
void SinkWorker::put_off(const Runs& runs, Delivery delivery) {
    const bool may_be_at_fault = (delivery.status == 0 || delivery.status >= 500) && !hard_stop_.stop_requested();
    const int failures = may_be_at_fault ? spool_->count_failure(taken_) : 0;
    const bool is_at_fault = failures >= most_failures;
    if (is_at_fault && runs.size() == 1) {
        delivery.outcome = Outcome::refused;
        delivery.refused_runs = 1;
        spool_->remove_next();
        note(delivery, 1);
        return;
    }
    if (failures <= 1)
        note(delivery, runs.size());
    else
        pause(delivery.wait);  // it was told of, and others were taken since
    if (is_at_fault) {
        try {
            spool_->halve_next(runs);
            return;
        } catch (const Error& error) {
            log::warning("traces for {} cannot be parted: {}", sink_->name(), printable(error.happened()));
        }
    }
    let_others_go_first();
}

void SinkWorker::let_others_go_first() {
    spool_->skip_next();
    if (files_before_ > 0) --files_before_;
}

void SinkWorker::send(Batch batch) {
    if (batch.empty()) return;
    const Runs runs = runs_of(batch);
    const Delivery delivery = delivered_by(*sink_, runs, hard_stop_.get_token());
    note(delivery, runs.size());
    if (delivery.outcome == Outcome::later) keep(std::move(batch));
}

void SinkWorker::pause(std::chrono::milliseconds asked) {
    next_try_ = Clock::now() + backoff_.next(asked);
}

void SinkWorker::note(const Delivery& delivery, std::size_t runs) {
    const bool is_well = delivery.outcome == Outcome::delivered;
    if (delivery.outcome == Outcome::later) {
        pause(delivery.wait);
    } else {
        next_try_ = {};
        backoff_.reset();
    }
    if (is_well || (delivery.outcome == Outcome::refused && delivery.refused_runs < runs)) ++taken_;
    if (is_well && spool_) files_before_ = spool_->count();
    if (is_well && !was_well_) log::info("traces reach {} again", sink_->name());
    if (!is_well && was_well_ && delivery.outcome != Outcome::forbidden)
        log::warning("traces do not reach {}, {}: {}", sink_->name(),
                     delivery.outcome == Outcome::refused ? "some were refused" : "it is tried again",
                     printable(delivery.reason));
    was_well_ = is_well;
    const std::lock_guard lock{mutex_};
    if (is_well || delivery.outcome == Outcome::refused) {
        counts_.refused += delivery.refused_runs;
        counts_.sent += runs - delivery.refused_runs;
    }
    if (delivery.outcome != Outcome::forbidden) return;
    counts_.is_forbidden = true;
    has_spooled_ = false;
    counts_.refused += runs + counts_.waiting;
    counts_.waiting = waiting_bytes_ = 0;
    waiting_.clear();
    log::error("no more traces are sent to {}: {}", sink_->name(), printable(delivery.reason));
}

}  // namespace decant::trace
