#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "core/settings.hpp"
#include "sync/sync_report.hpp"

namespace decant::sync {

struct DuxRequest {
    bool full = false;  ///< all items, also where only those that changed would do (version 2)
    bool dry_run = false;
    std::optional<std::uint64_t> max;                ///< ends after so many items
    std::optional<std::string> due_at = {};          ///< the hour of the schedule, as timestamptz
    std::function<void(const SyncCursor&)> on_page;  ///< told after each commit
};

/// One run of the DUX ERP's items into the catalog; goes on where a run that was ended within the last day had come to.
/// None: another run of that hour is there already. An ERP that is away gives a report with the state "stopped" and its
/// error. Throws Error: busy (another sync runs), config_invalid, not_found (no catalog), and what the database says.
std::optional<SyncReport> sync_dux(const Settings& settings, const std::string& conninfo, const DuxRequest& request,
                                   std::stop_token stop = {});

}  // namespace decant::sync
