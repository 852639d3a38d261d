#pragma once

#include "core/settings.hpp"
#include "pg/connection.hpp"
#include "sync/sync_report.hpp"

namespace decant::sync {

/// Deactivates the active products of the report's source that its run has not seen, unless they are more than
/// DUX_MAX_VANISHED_PERCENT of all or may be among the items whose sku could not be read; counts and cursor are saved
/// in the same transaction.
void deactivate_vanished(pg::Connection& db, const Settings& settings, const std::string& token, SyncReport& report);

}  // namespace decant::sync
