#pragma once

#include <string>

#include "migrate/target_table.hpp"
#include "pg/connection.hpp"

namespace decant::migrate {

/// Keeps a second run off the same target while this lives. Held by a transaction on a connection of its own: it ends
/// with the process however that ends, and works behind PgBouncer in transaction mode, where session locks would leak.
class TargetLock {
public:
    /// Throws Error{busy} at once, naming the holder's host, pid and start.
    TargetLock(const std::string& conninfo, const TableName& target);

    /// Random; written to the run's row with every page, so that a holder which lost its connection cannot write on.
    const std::string& token() const noexcept { return token_; }

private:
    pg::Connection db_;
    pg::Transaction tx_;
    std::string token_;
};

}  // namespace decant::migrate
