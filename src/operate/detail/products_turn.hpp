#pragma once

#include <functional>
#include <stop_token>
#include <string>

#include "pg/connection.hpp"

namespace decant::operate::detail {

/// A transaction that has the table products for itself, a moment.
struct ProductsTurn {
    std::function<void()> before = {};  ///< of the transaction, while readers go on
    std::function<bool()> work;         ///< false: rolled back
    std::string lost;                   ///< what of it all is not lost where the table stays locked
    std::function<void(const std::string& line)> note = {};
    std::stop_token stop = {};
};

/// Readers queue behind the lock that is asked for, so it is asked for one second at a time, 30 times. For how long the
/// others waited, in milliseconds. Throws Error{busy} where the table stays locked.
double take_products_turn(pg::Connection& db, const ProductsTurn& turn);

}  // namespace decant::operate::detail
