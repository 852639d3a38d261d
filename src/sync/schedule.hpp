#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/settings.hpp"
#include "pg/connection.hpp"

namespace decant::sync {

/// When syncs begin by themselves. What counts is PostgreSQL's clock and its zones, for all processes the same one.
struct Schedule {
    std::vector<int> hours;       ///< 0 to 23 in the zone; ascending, each once
    std::string zone;             ///< "America/Argentina/Buenos_Aires"
    std::chrono::hours patience;  ///< without a complete sync for so long, one begins outside the hours too
};

/// Of a setting: whole hours from 0 to 23, as in [2,14]; ascending, each once. Throws Error{config_invalid}.
std::vector<int> read_hours(const Settings& settings, std::string_view key);
/// DUX_SYNC_TIMEZONE; unset: the system's.
std::string read_zone(const Settings& settings);

/// DUX_SYNC_HOURS, DUX_SYNC_TIMEZONE (unset: the system's) and DUX_FORCE_SYNC_THRESHOLD_HOURS. Throws
/// Error{config_invalid}.
Schedule read_schedule(const Settings& settings);

/// What the schedule says now.
struct Outlook {
    std::optional<std::string> due;  ///< the time whose sync is to begin: the last one, where no sync ran since
    /// The last run was killed, or stopped with its server after it had begun by the schedule: it may be gone on with,
    /// unless it runs on.
    bool is_cut_short = false;
    bool is_overdue = false;  ///< nothing was complete for too long, and nothing was tried in the last hour
    std::string next;         ///< the time after that
    std::chrono::seconds until_next{};
};

/// An hour that a change of the clocks leaves out comes when the clocks were put forward, one that comes twice counts
/// once, the second time. `now`: another time in the place of the clock's. Throws Error{config_invalid} for a zone that
/// PostgreSQL does not know.
Outlook look_ahead(pg::Connection& db, const Schedule& schedule, const std::optional<std::string>& now = std::nullopt);

}  // namespace decant::sync
