#pragma once

#include "sync/sync_report.hpp"

namespace decant::cli {

/// What a run did, as a table with remarks, or as one JSON document; its error goes to stderr.
void print_sync(const sync::SyncReport& report, bool as_json);

/// Of a source that could not be read to the end, that of its error.
int exit_code_of(const sync::SyncReport& report);

}  // namespace decant::cli
