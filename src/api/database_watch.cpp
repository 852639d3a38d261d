#include "api/database_watch.hpp"

#include "core/error.hpp"
#include "core/log.hpp"

namespace decant::api {
namespace {

using namespace std::chrono_literals;

constexpr auto pause_while_up = 500ms;
constexpr auto pause_while_away = 200ms;
constexpr auto look_interval = 5s;
constexpr auto silence_interval = 250ms;
/// As long as a statement may take.
constexpr auto longest_silence = 5s;

}  // namespace

DatabaseWatch::Waiting::Waiting(DatabaseWatch& watch, pg::Connection& db) : watch_(watch), cut_(db) {
    const std::lock_guard lock{watch_.waiting_mutex_};
    watch_.waiting_.insert(&cut_);
}

DatabaseWatch::Waiting::~Waiting() {
    const std::lock_guard lock{watch_.waiting_mutex_};
    watch_.waiting_.erase(&cut_);
}

DatabaseWatch::DatabaseWatch(std::string conninfo, Look look) : conninfo_(std::move(conninfo)), look_(std::move(look)) {
    is_up_ = ask();
    thread_ = std::thread{[this] { watch(); }};
}

DatabaseWatch::~DatabaseWatch() {
    {
        const std::lock_guard lock{mutex_};
        is_ending_ = true;
    }
    wakes_.notify_all();
    thread_.join();
}

void DatabaseWatch::report_failure() {
    if (is_up_.exchange(false)) log::warning("The database has gone away; requests are refused until it is back");
    {
        const std::lock_guard lock{mutex_};
        is_asked_ = true;
    }
    wakes_.notify_all();
}

void DatabaseWatch::look_now() {
    {
        const std::lock_guard lock{mutex_};
        is_asked_ = true;
        must_look_ = true;
    }
    wakes_.notify_all();
}

void DatabaseWatch::watch() {
    for (;;) {
        {
            std::unique_lock lock{mutex_};
            const auto pause = is_up_ ? pause_while_up : pause_while_away;
            wakes_.wait_for(lock, pause, [this] { return is_ending_ || (is_asked_ && is_up_); });
            if (is_ending_) return;
            is_asked_ = false;
        }
        const bool answers = ask();
        const bool was_up = is_up_.exchange(answers);
        if (was_up && !answers) log::warning("The database has gone away; requests are refused until it is back");
        if (!was_up && answers) {
            ++generation_;
            log::info("The database is back");
        }
    }
}

void DatabaseWatch::cut_if_silent(std::chrono::steady_clock::time_point asked) {
    if (std::chrono::steady_clock::now() - asked < longest_silence) return;
    if (is_up_.exchange(false)) log::warning("The database does not answer; requests are refused until it does");
    pg::ConnectionCut{*db_}.cut();
    const std::lock_guard lock{waiting_mutex_};
    for (const pg::ConnectionCut* connection : waiting_)
        connection->cut();
}

bool DatabaseWatch::ask() {
    try {
        if (!db_) {
            db_.emplace(pg::Connection::open(conninfo_));
            must_look_ = true;
        }
        const auto asked = std::chrono::steady_clock::now();
        db_->exec_watched("SELECT 1", silence_interval, [&] {
            cut_if_silent(asked);
            return true;
        });
        const auto now = std::chrono::steady_clock::now();
        if (must_look_.exchange(false) || now - looked_ > look_interval) {
            look_(*db_);
            looked_ = now;
        }
        return true;
    } catch (const Error& error) {
        if (is_up_) log::warning("{}", error.happened());
        db_.reset();
        return false;
    }
}

}  // namespace decant::api
