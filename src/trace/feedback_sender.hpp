#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "net/http_client.hpp"
#include "pg/connection.hpp"
#include "trace/detail/backoff.hpp"
#include "trace/langsmith.hpp"

namespace decant::trace {

/// Tells LangSmith what people thought of answers, from a thread of its own. The table decant.feedback is the queue:
/// what LangSmith does not take yet, because the answer's run is still on its way or nobody answers, is tried again for
/// a day, also by the next process. One that fails waits longer each time, and others go first; while LangSmith is away
/// none is tried. Feedback has an id by its run and its author, so that it is there once. Any thread.
class FeedbackSender {
public:
    FeedbackSender(const LangSmithSetup& setup, const std::string& conninfo);
    FeedbackSender(const FeedbackSender&) = delete;
    FeedbackSender& operator=(const FeedbackSender&) = delete;
    /// Breaks off what is under way.
    ~FeedbackSender();

    /// There is something new.
    void look();
    /// Breaks off what is under way. Returns at once.
    void begin_end() noexcept { thread_.request_stop(); }

private:
    using Clock = std::chrono::steady_clock;
    struct PutOff {
        std::chrono::milliseconds pause{0};
        Clock::time_point until{};
    };

    void run(const std::stop_token& stop);
    bool send_all(const std::stop_token& stop);
    std::vector<int> due_rows(const pg::Result& rows);
    Delivery send(const pg::Result& rows, int row, const std::stop_token& stop);
    void put_off(const std::string& feedback);
    bool may_go_on(const Delivery& delivery);
    std::string session_of(const std::string& project);

    net::HttpClient client_;
    std::string conninfo_;
    std::string project_;
    std::map<std::string, std::string> sessions_;  ///< ids of projects that were asked for; empty: not to be had
    std::map<std::string, PutOff> put_off_;        ///< feedback that failed, by id and time
    int failures_ = 0;                             ///< of LangSmith in a row
    Clock::time_point not_before_{};               ///< another request
    detail::Backoff backoff_;
    std::optional<pg::Connection> db_;
    std::mutex mutex_;
    std::condition_variable_any changed_;
    bool has_news_ = true;
    std::jthread thread_;  ///< last: it uses the others
};

}  // namespace decant::trace
