#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "pg/connection.hpp"

namespace decant::pg {

/// An advisory lock that is held while this lives, by a transaction on a connection of its own: it ends with the
/// process however that ends, and works behind PgBouncer in transaction mode, where session locks would leak.
class HeldLock {
public:
    /// `sql` asks with pg_try_advisory_xact_lock and gives what that gives.
    HeldLock(const std::string& conninfo, std::string_view sql, const std::vector<Param>& params = {});

    /// False: another one has it.
    bool is_held() const noexcept { return is_held_; }
    Connection& db() noexcept { return db_; }
    /// Random; written with what the lock guards, so that a holder which lost its connection cannot write on.
    const std::string& token() const noexcept { return token_; }

private:
    Connection db_;
    Transaction tx_;
    bool is_held_;
    std::string token_;
};

}  // namespace decant::pg
