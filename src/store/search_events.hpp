#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "core/enum_names.hpp"
#include "pg/connection.hpp"

namespace decant::store {

/// What a search was part of: an experiment, with whose answer and for whom, and a message.
struct Exposure {
    std::string experiment = {};  ///< empty: none
    std::string arm = {};
    std::string unit = {};               ///< digest of the user or session
    std::string teams = {};              ///< of an interleaved answer: JSON, see migration 010; empty: it is none
    std::optional<double> overlap = {};  ///< of a shadow search, with the answer that was given
    std::string message_id = {};         ///< of a streamed answer of the chat: feedback may call it by that
};

/// One search that ran, as decant.search_events keeps it. A request that was refused is none. Holds no secrets.
struct SearchEvent {
    enum class Kind { search, similar, chat, shadow };  ///< shadow: nobody was answered

    Kind kind = Kind::search;
    std::string run_id = {};              ///< what feedback calls the answer by; empty: nothing
    std::string strategy = {};            ///< that was asked for
    std::string used = {};                ///< that answered; empty: none
    double milliseconds = 0;              ///< of all of it
    std::optional<double> understand_ms;  ///< of these stages, where it had them
    std::optional<double> embed_ms;
    std::optional<double> search_ms;
    std::optional<double> answer_ms;
    std::uint64_t results = 0;
    std::optional<double> best_similarity;  ///< cosine, where vectors were compared and something was found
    std::optional<double> mean_similarity;  ///< of all results
    std::optional<double> threshold;
    bool degraded = false;
    std::string error = {};     ///< code of the failure; empty: none
    std::string question = {};  ///< kept only with keeps_questions
    Exposure exposure = {};
};
inline constexpr EnumNames<SearchEvent::Kind, 4> search_kind_names{{"search", "similar", "chat", "shadow"}};

struct SearchEventsSetup {
    std::string conninfo;
    bool keeps_questions = false;
    std::size_t most_waiting = 10'000;     ///< more than these, not written yet, are dropped
    std::chrono::milliseconds pause{200};  ///< between two writes
};

/// Writes what was searched for into decant.search_events from a thread of its own, so that a search never waits for
/// it. What cannot be written is dropped and counted: it is a record of traffic, not of business. Nothing is written
/// twice. Any thread.
class SearchEvents {
public:
    struct Counts {
        std::uint64_t recorded = 0;
        std::uint64_t written = 0;
        std::uint64_t dropped = 0;
    };

    explicit SearchEvents(SearchEventsSetup setup);
    SearchEvents(const SearchEvents&) = delete;
    SearchEvents& operator=(const SearchEvents&) = delete;
    /// Writes what is left, in one try: a database that is silent is not waited for longer than two seconds.
    ~SearchEvents();

    /// Takes a lock for the time of one move, and no more.
    void record(SearchEvent event);
    Counts counts() const;
    bool keeps_questions() const noexcept { return setup_.keeps_questions; }

private:
    struct Waiting {
        SearchEvent event;
        std::chrono::steady_clock::time_point at;
    };

    void run(const std::stop_token& stop);
    bool connect();
    void write(const std::vector<Waiting>& batch);
    std::vector<Waiting> take();

    const SearchEventsSetup setup_;
    mutable std::mutex mutex_;
    std::condition_variable_any changed_;
    std::deque<Waiting> waiting_;
    Counts counts_;
    bool has_ended_ = false;
    std::stop_source hard_stop_;
    const std::string conninfo_;
    std::optional<pg::Connection> db_;  ///< of the thread
    std::jthread thread_;               ///< last: it uses the others
};

/// Removes events older than `days`, but for those of an experiment that runs; their number. In steps, so that no lock
/// is held for long.
std::uint64_t prune_search_events(pg::Connection& db, int days);

}  // namespace decant::store
