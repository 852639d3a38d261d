#pragma once

#include <string>

#include "migrate/target_table.hpp"
#include "pg/held_lock.hpp"

namespace decant::migrate {

/// Keeps a second run off the same target while this lives.
class TargetLock {
public:
    /// Throws Error{busy} at once, naming the holder's host, pid and start.
    TargetLock(const std::string& conninfo, const TableName& target);

    /// As pg::HeldLock::token(); written to the run's row with every page.
    const std::string& token() const noexcept { return lock_.token(); }

private:
    pg::HeldLock lock_;
};

}  // namespace decant::migrate
