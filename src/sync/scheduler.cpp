#include "sync/scheduler.hpp"

#include <algorithm>
#include <utility>

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/utf8.hpp"
#include "store/sync_store.hpp"

namespace decant::sync {

using namespace std::chrono_literals;

bool Scheduler::ask(bool is_full) {
    const std::lock_guard lock{mutex_};
    if (asked_ || is_syncing_) return false;
    asked_ = Wanted{.is_full = is_full};
    changed_.notify_all();
    return true;
}

void Scheduler::run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
        if (const auto wanted = next(stop)) sync(*wanted, stop);
    }
}

/// Waits, until it is time to look again, for what is asked for. None: nothing is wanted so far.
std::optional<Scheduler::Wanted> Scheduler::next(const std::stop_token& stop) {
    std::optional<Wanted> wanted = look();
    std::unique_lock lock{mutex_};
    if (!wanted) changed_.wait_for(lock, stop, until_look_, [&] { return asked_.has_value(); });
    if (stop.stop_requested()) return std::nullopt;
    if (!wanted) wanted = std::exchange(asked_, std::nullopt);
    is_syncing_ = wanted.has_value();
    return wanted;
}

/// What the schedule has due.
std::optional<Scheduler::Wanted> Scheduler::look() {
    until_look_ = setup_.look_interval;
    if (!setup_.schedule) return std::nullopt;
    Outlook outlook;
    try {
        pg::Connection db = pg::Connection::open(setup_.conninfo);
        outlook = look_ahead(db, *setup_.schedule);
        // Looked at again: it may have ended before the lock was asked for.
        outlook.is_cut_short =
            outlook.is_cut_short && !store::SyncStore{db}.is_running() && look_ahead(db, *setup_.schedule).is_cut_short;
    } catch (const Error& error) {
        log::warning("nothing is synced for now: {}. {}", printable(error.happened()), error.remedy());
        return std::nullopt;
    }
    until_look_ = std::clamp<std::chrono::milliseconds>(outlook.until_next, 0ms, setup_.look_interval);
    const auto now = std::chrono::steady_clock::now();
    if (outlook.due && outlook.due != tried_) return Wanted{.due = outlook.due};
    if ((!outlook.is_overdue && !outlook.is_cut_short) || (tried_besides_ && now - *tried_besides_ < 1h))
        return std::nullopt;
    tried_besides_ = now;
    if (outlook.is_cut_short)
        log::info("the last sync was cut short: it is gone on with");
    else
        log::info("no sync was complete for {} hours", setup_.schedule->patience.count());
    return Wanted{};
}

void Scheduler::sync(const Wanted& wanted, const std::stop_token& stop) {
    if (wanted.due) tried_ = wanted.due;
    bool is_away = false;
    try {
        setup_.sync(wanted, stop);
    } catch (const Error& error) {
        is_away = error.code() == ErrorCode::store_unavailable;
        if (is_away) {
            tried_.reset();
            tried_besides_.reset();
        }
        log::warning("{}: {}. {}", wanted.due ? "the sync of " + *wanted.due + " is left out" : "not synced",
                     printable(error.happened()), error.remedy());
    }
    std::unique_lock lock{mutex_};
    is_syncing_ = false;
    // One that can be read and not written to has the same due at the next look.
    if (is_away) changed_.wait_for(lock, stop, setup_.look_interval, [] { return false; });
}

}  // namespace decant::sync
