#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "pg/connection.hpp"

namespace decant::chat {

/// Holds the turns that this process answers: each is the process's for `lease`, and renewed in time by a thread with a
/// connection of its own. Those of a process that is gone are over soon. Any thread.
class TurnKeeper {
public:
    static constexpr std::chrono::seconds lease{30};

    /// `every` is well under the lease.
    explicit TurnKeeper(std::string conninfo, std::chrono::milliseconds every = std::chrono::seconds{10});
    TurnKeeper(const TurnKeeper&) = delete;
    TurnKeeper& operator=(const TurnKeeper&) = delete;
    ~TurnKeeper();

    /// From now on, until released or for SessionStore::longest_turn.
    void hold(const std::string& token);
    void release(const std::string& token) noexcept;

private:
    void run(const std::stop_token& stop);
    void renew(const std::stop_token& stop, const std::string& tokens);

    const std::string conninfo_;
    const std::chrono::milliseconds every_;
    std::mutex mutex_;
    std::condition_variable_any changed_;
    std::map<std::string, std::chrono::steady_clock::time_point> held_;  ///< and since when
    std::optional<pg::Connection> db_;                                   ///< of the thread
    std::jthread thread_;                                                ///< last: it uses the others
};

}  // namespace decant::chat
