#pragma once

#include <string>

#include "pg/held_lock.hpp"

namespace decant::sync {

/// Keeps a second sync off while this lives, of whatever source and process.
class SyncLock {
public:
    /// Throws Error{busy}.
    explicit SyncLock(const std::string& conninfo);

    /// As pg::HeldLock::token(); written to the run's row with every page.
    const std::string& token() const noexcept { return lock_.token(); }

private:
    pg::HeldLock lock_;
};

}  // namespace decant::sync
