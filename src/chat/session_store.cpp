#include "chat/session_store.hpp"

#include <fmt/format.h>

#include <boost/json/parse.hpp>
#include <condition_variable>
#include <mutex>

#include "core/error.hpp"
#include "core/utf8.hpp"

namespace decant::chat {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view is_there_sql = "SELECT pg_catalog.to_regclass('decant.chat_sessions') IS NOT NULL";

// A turn is not waited for until it is on the disk (set_config, for this one transaction): a crash of the server takes
// the request with it, and the commit of its answer brings all that was written before to the disk.

/// No row: it is there already.
constexpr std::string_view open_sql =
    "INSERT INTO decant.chat_sessions (session_id, user_id, subject, turn, turn_until) "
    "VALUES ($1, $2, $3, pg_catalog.gen_random_uuid(), pg_catalog.now() + $4::int * interval '1 second') "
    "ON CONFLICT DO NOTHING "
    "RETURNING turn, conversation_id, state, pg_catalog.set_config('synchronous_commit', 'off', true)";

/// No row: there is none, somebody else answers, or it is somebody else's.
constexpr std::string_view begin_sql =
    "UPDATE decant.chat_sessions SET turn = pg_catalog.gen_random_uuid(), "
    "turn_until = pg_catalog.now() + $4::int * interval '1 second' "
    "WHERE session_id = $1 AND user_id = $2 AND subject = $3 AND (turn IS NULL OR turn_until < pg_catalog.now()) "
    "RETURNING turn, conversation_id, state, pg_catalog.set_config('synchronous_commit', 'off', true)";

constexpr std::string_view is_mine_sql =
    "SELECT (user_id = $2 OR $2 = '') AND subject = $3 FROM decant.chat_sessions WHERE session_id = $1";

/// One statement, so that both messages are stored or none, at different times for their order.
constexpr std::string_view finish_sql =
    "WITH mine AS (UPDATE decant.chat_sessions SET turn = NULL, turn_until = NULL, state = $3::jsonb, "
    "updated_at = pg_catalog.clock_timestamp() WHERE session_id = $1 AND turn = $2::uuid RETURNING session_id) "
    "INSERT INTO decant.chat_messages (session_id, role, content, created_at) "
    "SELECT m.session_id, v.role, v.content, pg_catalog.clock_timestamp() FROM mine m, "
    "(VALUES (1, 'human', $4), (2, 'ai', $5)) v (place, role, content) ORDER BY v.place";

constexpr std::string_view abandon_sql =
    "UPDATE decant.chat_sessions SET turn = NULL, turn_until = NULL WHERE session_id = $1 AND turn = $2::uuid";

constexpr std::string_view history_sql =
    "SELECT role, content, pg_catalog.to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), "
    "total FROM (SELECT id, role, content, created_at, pg_catalog.count(*) OVER () AS total "
    "FROM decant.chat_messages WHERE session_id = $1 ORDER BY id DESC LIMIT $2::bigint) last ORDER BY id";

constexpr std::string_view remove_sql = "DELETE FROM decant.chat_sessions WHERE session_id = $1";
constexpr std::string_view forget_sql = "DELETE FROM decant.chat_sessions WHERE user_id = $1";

constexpr std::string_view prune_sessions_sql =
    "DELETE FROM decant.chat_sessions WHERE updated_at < pg_catalog.now() - $1::int * interval '1 day'";
constexpr std::string_view prune_events_sql =
    "DELETE FROM decant.chat_events WHERE created_at < pg_catalog.now() - $1::int * interval '1 minute'";

constexpr std::string_view append_event_sql =
    "INSERT INTO decant.chat_events (message_id, seq, session_id, payload) "
    "SELECT $4::uuid, $5::bigint, s.session_id, $6 FROM decant.chat_sessions s "
    "WHERE s.session_id = $1 AND s.user_id = $2 AND s.subject = $3 ON CONFLICT DO NOTHING";
constexpr std::string_view events_after_sql =
    "SELECT e.seq, e.payload FROM decant.chat_events e JOIN decant.chat_sessions s ON s.session_id = e.session_id "
    "WHERE s.session_id = $1 AND s.user_id = $2 AND s.subject = $3 AND e.message_id = $4::uuid AND e.seq > $5::bigint "
    "AND e.created_at > pg_catalog.now() - $6::int * interval '1 minute' ORDER BY e.seq";

constexpr auto between_tries = 25ms;

/// False as soon as `stop` is asked for.
bool wait_unless_stopped(std::chrono::milliseconds span, const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any never;
    std::unique_lock lock{mutex};
    never.wait_for(lock, stop, span, [] { return false; });
    return !stop.stop_requested();
}

std::vector<pg::Param> owner(const SessionKey& session) {
    return {session.session_id, session.user_id, session.subject};
}

Error not_mine(const SessionKey& session) {
    return {ErrorCode::forbidden, fmt::format("Session '{}' is not this user's", printable(session.session_id)),
            "Name another session_id."};
}

/// False where there is no such session.
bool require_mine(pg::Connection& db, const SessionKey& session) {
    const pg::Result found = db.query(is_mine_sql, owner(session));
    if (!found.empty() && !found.boolean(0, 0)) throw not_mine(session);
    return !found.empty();
}

json::object state_of(std::string_view text) {
    json::value value = json::parse(text);
    return value.is_object() ? std::move(value.as_object()) : json::object{};
}

/// What PostgreSQL takes as text: U+0000 it does not.
std::string storable(std::string_view text) {
    std::string valid = valid_utf8(text);
    std::erase(valid, '\0');
    return valid;
}

}  // namespace

SessionStore::SessionStore(pg::Connection& db, std::chrono::seconds lease) : db_(db), lease_(lease) {
    if (db_.exec(is_there_sql).boolean(0, 0)) return;
    throw Error{ErrorCode::not_found,
                fmt::format("There is no table decant.chat_sessions in database '{}'", db_.database()),
                "Make it with `decant schema up`."};
}

Turn SessionStore::begin(const SessionKey& session, std::chrono::milliseconds wait, const std::stop_token& stop) {
    const auto deadline = std::chrono::steady_clock::now() + wait;
    std::vector<pg::Param> params = owner(session);
    params.emplace_back(std::to_string(lease_.count()));
    for (;;) {
        for (const std::string_view sql : {begin_sql, open_sql}) {
            const pg::Result row = db_.query(sql, params);
            if (row.empty()) continue;
            return {.session = session,
                    .token = std::string{row.text(0, 0)},
                    .conversation_id = std::string{row.text(0, 1)},
                    .state = state_of(row.text(0, 2))};
        }
        require_mine(db_, session);
        if (std::chrono::steady_clock::now() >= deadline) {
            throw Error{ErrorCode::busy,
                        fmt::format("Session '{}' is still answering another message", printable(session.session_id)),
                        "Wait for that answer, or use another session."};
        }
        if (!wait_unless_stopped(between_tries, stop))
            throw Error{ErrorCode::cancelled, "The message was withdrawn", "Send it again."};
    }
}

bool SessionStore::finish(const Turn& turn, const Exchange& exchange) {
    const pg::Result stored = db_.query(finish_sql, {turn.session.session_id, turn.token, json_text(exchange.state),
                                                     storable(exchange.human), storable(exchange.ai)});
    return stored.affected() > 0;
}

bool SessionStore::abandon(const Turn& turn) {
    return db_.query(abandon_sql, {turn.session.session_id, turn.token}).affected() > 0;
}

History SessionStore::history(const SessionKey& session, std::uint64_t limit) {
    History history;
    if (!require_mine(db_, session)) return history;
    const pg::Result rows = db_.query(history_sql, {session.session_id, std::to_string(limit)});
    for (int row = 0; row < rows.rows(); ++row) {
        history.total = static_cast<std::uint64_t>(rows.integer(row, 3));
        history.messages.push_back({.type = std::string{rows.text(row, 0)},
                                    .content = std::string{rows.text(row, 1)},
                                    .timestamp = std::string{rows.text(row, 2)}});
    }
    return history;
}

bool SessionStore::remove(const SessionKey& session) {
    return require_mine(db_, session) && db_.query(remove_sql, {session.session_id}).affected() > 0;
}

std::uint64_t SessionStore::forget(const std::string& user_id) {
    return db_.query(forget_sql, {user_id}).affected();
}

std::uint64_t SessionStore::prune(std::uint64_t days) {
    db_.query(prune_events_sql, {std::to_string(events_kept.count())});
    return days == 0 ? 0 : db_.query(prune_sessions_sql, {std::to_string(days)}).affected();
}

bool SessionStore::append_event(const SessionKey& session, const std::string& message_id, const StoredEvent& event) {
    std::vector<pg::Param> params = owner(session);
    params.insert(params.end(), {message_id, std::to_string(event.seq), storable(event.payload)});
    return db_.query(append_event_sql, params).affected() > 0;
}

std::vector<StoredEvent> SessionStore::events_after(const SessionKey& session, const std::string& message_id,
                                                    std::int64_t seq) {
    std::vector<pg::Param> params = owner(session);
    params.insert(params.end(), {message_id, std::to_string(seq), std::to_string(events_kept.count())});
    const pg::Result rows = db_.query(events_after_sql, params);
    std::vector<StoredEvent> events;
    for (int row = 0; row < rows.rows(); ++row)
        events.push_back({.seq = rows.integer(row, 0), .payload = std::string{rows.text(row, 1)}});
    return events;
}

std::uint64_t retention_days(const Settings& settings) {
    return std::stoull(settings.get("DECANT_CHAT_RETENTION_DAYS").value_or("90"));
}

}  // namespace decant::chat
