#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "pg/held_lock.hpp"

/// operate/: what keeps the catalog running: statistics, index rebuilds, upkeep and other exclusive operations, with
/// their reports. Knows neither commands nor HTTP.
namespace decant::operate {

/// What holds the lock on the connected database, as in "`decant reindex`, begun 2025-01-31 09:00:00 UTC,"; none:
/// nobody.
std::optional<std::string> running_operation(pg::Connection& db);

/// Keeps a second exclusive operation off the database while this lives, of whatever process: a rebuild of the index,
/// maintenance, a change of the model, a restore. Whoever does such work takes one as a parameter. One thread.
class OperationLock {
public:
    /// `operation` is what others are told of it: "reindex". Throws Error{busy} naming what runs.
    OperationLock(const std::string& conninfo, std::string_view operation);

private:
    pg::HeldLock lock_;
};

}  // namespace decant::operate
