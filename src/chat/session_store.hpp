#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.hpp"
#include "core/settings.hpp"
#include "pg/connection.hpp"

/// chat/: the product agent: what a message asks, what is found for it, the words of the answer, and the sessions.
/// Knows nothing of HTTP.
namespace decant::chat {

/// A session and whose it is. Another user, or another subject, does not learn that it is there.
struct SessionKey {
    std::string session_id;
    std::string user_id;
    std::string subject = {};  ///< of the credential; empty: none
};

struct Message {
    std::string type;  ///< "human" or "ai"
    std::string content;
    std::string timestamp;  ///< "2025-09-30T10:00:00.123456Z"
};

struct History {
    std::vector<Message> messages;  ///< the last ones, the oldest first
    std::uint64_t total = 0;
};

/// One event of a streamed answer.
struct StoredEvent {
    std::int64_t seq = 0;
    std::string payload;
};

/// The right to answer in a session, which one at a time has.
struct Turn {
    SessionKey session;
    std::string token;
    std::string conversation_id;
    json::object state;  ///< as finish() left it last
};

/// What a turn leaves.
struct Exchange {
    std::string human;
    std::string ai;
    json::object state;
};

/// Sessions in PostgreSQL. One connection, one thread at a time; no session state of the connection is relied on.
class SessionStore {
public:
    /// A turn that is not finished by then is over.
    static constexpr std::chrono::seconds longest_turn{300};
    static constexpr std::chrono::minutes events_kept{5};

    /// Turns are over after `lease`, unless somebody renews them. Throws Error{not_found} where migration 006 was not
    /// applied.
    explicit SessionStore(pg::Connection& db, std::chrono::seconds lease = longest_turn);

    /// Makes the session where there is none, and waits while somebody else answers in it. Throws Error: forbidden for
    /// somebody else's session; busy after `wait`; cancelled.
    Turn begin(const SessionKey& session, std::chrono::milliseconds wait, const std::stop_token& stop = {});
    /// Stores both messages and the state, and gives the turn back. False where the session was removed meanwhile, or
    /// the turn was over: then nothing is stored.
    bool finish(const Turn& turn, const Exchange& exchange);
    /// Gives the turn back with nothing said. False where it was over already.
    bool abandon(const Turn& turn);

    /// Of a session that there is not: nothing. Throws Error{forbidden} for somebody else's.
    History history(const SessionKey& session, std::uint64_t limit);
    /// With all that was said in it; an empty user_id stands for any. False where there is none. Throws
    /// Error{forbidden} for somebody else's.
    bool remove(const SessionKey& session);
    /// All sessions of a user; so many there were.
    std::uint64_t forget(const std::string& user_id);
    /// Removes sessions without a message for so many days (0: none), and events that are too old.
    std::uint64_t prune(std::uint64_t days);

    /// `message_id` is a UUID. False where the session is gone.
    bool append_event(const SessionKey& session, const std::string& message_id, const StoredEvent& event);
    /// Those behind `seq`, of a message of this session.
    std::vector<StoredEvent> events_after(const SessionKey& session, const std::string& message_id, std::int64_t seq);

private:
    pg::Connection& db_;
    std::chrono::seconds lease_;
};

/// DECANT_CHAT_RETENTION_DAYS.
std::uint64_t retention_days(const Settings& settings);

}  // namespace decant::chat
