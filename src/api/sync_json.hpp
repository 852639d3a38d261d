#pragma once

#include "api/shape.hpp"
#include "store/sync_store.hpp"

namespace decant::api {

/// A run of a sync as callers get it: of one that goes on, or was killed, with the counts of its last page.
json::object sync_run_json(const store::SyncRun& run);
const Shape& sync_run_shape();

}  // namespace decant::api
