#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "core/settings.hpp"
#include "sync/incoming.hpp"
#include "sync/sync_report.hpp"

namespace decant::sync {

/// Records that are read from their start to their end, as those of a file or a query.
struct RecordRequest {
    std::string source;  ///< csv, sql
    std::string origin;  ///< where they are, without secrets
    /// They are all that there is: what earlier runs of this source had and these lack is deactivated, below the same
    /// floor as with DUX, and what they hold is active unless they say otherwise.
    bool is_full = false;
    bool dry_run = false;
    std::optional<std::uint64_t> max = {};  ///< ends after about so many
    std::function<std::optional<Page>()> next;
};

/// One run of them into the catalog, with the same change detection, quarantine and report as DUX. What a record does
/// not say is left as it is. A run that was ended is not gone on with: the next one reads from the start and finds
/// what is in unchanged. Throws Error: busy (another sync runs), not_found (no catalog), and what `next` throws, after
/// which the run stands as failed.
SyncReport sync_records(const Settings& settings, const std::string& conninfo, const RecordRequest& request);

}  // namespace decant::sync
