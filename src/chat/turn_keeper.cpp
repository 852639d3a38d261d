#include "chat/turn_keeper.hpp"

#include <fmt/format.h>

#include <vector>

#include "chat/session_store.hpp"
#include "core/error.hpp"
#include "core/log.hpp"
#include "core/utf8.hpp"
#include "pg/cut_on_stop.hpp"

namespace decant::chat {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::string_view renew_sql =
    "UPDATE decant.chat_sessions SET turn_until = pg_catalog.now() + $2::int * interval '1 second' "
    "WHERE turn = ANY ($1::uuid[])";

}  // namespace

TurnKeeper::TurnKeeper(std::string conninfo, std::chrono::milliseconds every)
    : conninfo_(std::move(conninfo)), every_(every), thread_([this](const std::stop_token& stop) { run(stop); }) {}

TurnKeeper::~TurnKeeper() {
    thread_.request_stop();
    thread_.join();
}

void TurnKeeper::hold(const std::string& token) {
    {
        const std::lock_guard lock{mutex_};
        held_.emplace(token, Clock::now());
    }
    changed_.notify_one();
}

void TurnKeeper::release(const std::string& token) noexcept {
    const std::lock_guard lock{mutex_};
    held_.erase(token);
}

void TurnKeeper::run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
        std::vector<std::string> due;
        {
            std::unique_lock lock{mutex_};
            changed_.wait(lock, stop, [this] { return !held_.empty(); });
            changed_.wait_for(lock, stop, every_, [] { return false; });
            const auto now = Clock::now();
            std::erase_if(held_, [&](const auto& turn) { return now - turn.second > SessionStore::longest_turn; });
            for (const auto& [token, since] : held_)
                if (now - since >= every_) due.push_back(token);
        }
        if (stop.stop_requested()) return;
        if (!due.empty()) renew(stop, pg::array_literal(due));
    }
}

void TurnKeeper::renew(const std::stop_token& stop, const std::string& tokens) {
    try {
        if (!db_) db_.emplace(pg::Connection::open(conninfo_));
        const pg::CutOnStop cut{*db_, stop};
        db_->query(renew_sql, {tokens, std::to_string(lease.count())});
    } catch (const Error& error) {
        // Tried again soon; where the database is away, who answers finds out too.
        log::debug("turns of chat were not renewed: {}", printable(error.happened()));
        db_.reset();
    }
}

}  // namespace decant::chat
