#include "store/idempotency.hpp"

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/sha256.hpp"

namespace decant::store {
namespace {

// An advisory lock, not one on the row: there is no row yet, and who has to wait is told at once.
constexpr std::string_view lock_sql =
    "SELECT pg_catalog.pg_try_advisory_xact_lock(pg_catalog.hashtextextended('decant idempotency ' || $1 || ' ' || $2, "
    "0))";

constexpr std::string_view find_sql =
    "SELECT request_hash, status, body FROM decant.idempotency_keys "
    "WHERE caller = $1 AND key = $2 AND created_at > pg_catalog.now() - interval '1 day'";

constexpr std::string_view keep_sql = R"sql(
INSERT INTO decant.idempotency_keys (caller, key, request_hash, status, body) VALUES ($1, $2, $3::bytea, $4::int, $5)
ON CONFLICT (caller, key) DO UPDATE SET request_hash = excluded.request_hash, status = excluded.status,
    body = excluded.body, created_at = pg_catalog.now())sql";

constexpr std::string_view prune_sql =
    "DELETE FROM decant.idempotency_keys WHERE created_at <= pg_catalog.now() - interval '1 day'";

}  // namespace

KeptAnswer answer_once(pg::Connection& db, const RepeatableRequest& request, const std::function<KeptAnswer()>& work) {
    const Digest digest = sha256(request.content);
    const std::string hash{reinterpret_cast<const char*>(digest.data()), digest.size()};
    pg::Transaction tx{db};
    if (!db.query(lock_sql, {request.caller, request.key}).boolean(0, 0)) {
        throw Error{ErrorCode::conflict,
                    fmt::format("The first request with Idempotency-Key '{}' is still at work", request.key),
                    "Send it again in a moment: it is answered with what the first one gave."};
    }
    if (const pg::Result kept = db.query(find_sql, {request.caller, request.key}); !kept.empty()) {
        if (kept.bytes(0, 0) != hash) {
            throw Error{ErrorCode::request_invalid,
                        fmt::format("Idempotency-Key '{}' came before with another request", request.key),
                        "Give every request a key of its own, and the same key only to the same request again."};
        }
        return {
            .status = static_cast<int>(kept.integer(0, 1)), .body = std::string{kept.text(0, 2)}, .is_repeated = true};
    }
    KeptAnswer answer = work();
    db.query(keep_sql, {request.caller, request.key, pg::bytea(hash), std::to_string(answer.status), answer.body});
    tx.commit();
    return answer;
}

std::uint64_t prune_idempotency_keys(pg::Connection& db) {
    return db.exec(prune_sql).affected();
}

}  // namespace decant::store
