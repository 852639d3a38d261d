#include "pg/held_lock.hpp"

#include <fmt/format.h>

#include <random>

namespace decant::pg {
namespace {

// It is idle on purpose. The server looks after a client that a network swallowed, as the client after the server: else
// it would hold the lock against that client's next try for two hours.
constexpr std::string_view begin_sql =
    "BEGIN; SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL statement_timeout = 0; "
    "SET LOCAL tcp_keepalives_idle = 30; SET LOCAL tcp_keepalives_interval = 10; SET LOCAL tcp_keepalives_count = 3";

std::string random_token() {
    std::random_device device;
    return fmt::format("{:08x}{:08x}{:08x}{:08x}", device(), device(), device(), device());
}

}  // namespace

HeldLock::HeldLock(const std::string& conninfo, std::string_view sql, const std::vector<Param>& params)
    : db_(Connection::open(conninfo)),
      tx_(db_, begin_sql),
      is_held_(db_.query(sql, params).boolean(0, 0)),
      token_(random_token()) {
    // transaction_timeout exists since PostgreSQL 17. One more statement in any case: up to it the portal of the query
    // above keeps a snapshot, which a concurrent index build would wait for.
    if (is_held_)
        db_.exec(db_.server_version() >= 170000 ? "SET LOCAL transaction_timeout = 0" : "SET LOCAL lock_timeout = 0");
}

}  // namespace decant::pg
