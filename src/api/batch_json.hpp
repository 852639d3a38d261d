#pragma once

#include "api/shape.hpp"
#include "store/job_queue.hpp"

namespace decant::api {

/// What every answer about a batch of products to embed has: job_id, status, progress, summary, started_at.
json::object batch_json(const store::JobBatch& batch);
const Shape& batch_progress_shape();
const Shape& batch_summary_shape();

}  // namespace decant::api
