#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "core/json.hpp"
#include "pg/connection.hpp"

namespace decant::operate {

/// When maintenance begins by itself. PostgreSQL's clock and zones count, for all servers the same.
struct MaintenanceHours {
    std::vector<int> hours;  ///< 0 to 23 in the zone; none: never
    std::string zone;        ///< "America/Argentina/Buenos_Aires"
};

/// The time of the schedule whose run is to begin: the last one, where none began since. Without any run before, times
/// up to `since` count for nothing. `now`: another time in the place of the clock's.
std::optional<std::string> due_maintenance(pg::Connection& db, const MaintenanceHours& hours, const std::string& since,
                                           const std::optional<std::string>& now = {});

/// The number of a new run; none where another server had this time's. `due`: none for one that somebody asked for.
std::optional<std::int64_t> begin_maintenance_run(pg::Connection& db, const std::optional<std::string>& due);
void end_maintenance_run(pg::Connection& db, std::int64_t run, const json::array& tasks);
/// Of one that ended before it had any tasks: in the place of tasks it has one that failed, with what happened.
void fail_maintenance_run(pg::Connection& db, std::int64_t run, const Error& error);

/// Removes those older than 400 days; their number.
std::uint64_t prune_maintenance_runs(pg::Connection& db);

}  // namespace decant::operate
