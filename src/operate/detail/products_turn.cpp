#include "operate/detail/products_turn.hpp"

#include <fmt/format.h>

#include <chrono>
#include <optional>

#include "core/elapsed.hpp"
#include "core/error.hpp"
#include "core/interrupt.hpp"

namespace decant::operate::detail {
namespace {

using namespace std::chrono_literals;

constexpr int most_tries = 30;
constexpr auto pause_between_tries = 500ms;
constexpr std::string_view begin_sql =
    "BEGIN; SET LOCAL lock_timeout = '1s'; SET LOCAL statement_timeout = '10s'; "
    "SET LOCAL idle_in_transaction_session_timeout = '30s'";

/// None: somebody holds the table, or what goes with it.
std::optional<double> try_turn(pg::Connection& db, const ProductsTurn& turn) {
    pg::Transaction tx{db, begin_sql};
    try {
        if (turn.before) turn.before();
        db.exec("LOCK TABLE products IN ACCESS EXCLUSIVE MODE");
        const auto start = std::chrono::steady_clock::now();
        if (turn.work()) tx.commit();
        return milliseconds_since(start);
    } catch (const Error& error) {
        if (error.code() != ErrorCode::timed_out) throw;
        return std::nullopt;
    }
}

}  // namespace

double take_products_turn(pg::Connection& db, const ProductsTurn& turn) {
    for (int tries = 1;; ++tries) {
        if (const auto waited = try_turn(db, turn)) return *waited;
        if (tries == most_tries || !sleep_unless_interrupted(pause_between_tries, turn.stop)) {
            throw Error{
                ErrorCode::busy, fmt::format("products stayed locked through {} tries to have it for a moment", tries),
                turn.lost + " Run the same command again when the transactions that hold the table have ended."};
        }
        if (turn.note) turn.note("products is locked by another session: trying again");
    }
}

}  // namespace decant::operate::detail
