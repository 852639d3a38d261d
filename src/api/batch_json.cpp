#include "api/batch_json.hpp"

#include <algorithm>

namespace decant::api {

const Shape& batch_progress_shape() {
    static const Shape shape{.name = "BatchProgress",
                             .fields = {{.name = "current", .type = FieldType::integer, .required = true},
                                        {.name = "total", .type = FieldType::integer, .required = true},
                                        {.name = "percentage", .type = FieldType::number, .required = true}}};
    return shape;
}

const Shape& batch_summary_shape() {
    static const Shape shape{.name = "BatchSummary",
                             .fields = {{.name = "updated", .type = FieldType::integer, .required = true},
                                        {.name = "skipped", .type = FieldType::integer, .required = true},
                                        {.name = "errors", .type = FieldType::integer, .required = true}}};
    return shape;
}

json::object batch_json(const store::JobBatch& batch) {
    const std::uint64_t done = batch.total - std::min(batch.waiting, batch.total);
    const double percentage =
        batch.total == 0 ? 100 : 100 * static_cast<double>(done) / static_cast<double>(batch.total);
    return {{"job_id", std::to_string(batch.id)},
            {"status", store::batch_state_names[batch.state()]},
            {"progress", json::object{{"current", done}, {"total", batch.total}, {"percentage", percentage}}},
            {"summary", json::object{{"updated", batch.updated}, {"skipped", batch.skipped}, {"errors", batch.errors}}},
            {"started_at", batch.started_at ? json::value(*batch.started_at) : nullptr}};
}

}  // namespace decant::api
