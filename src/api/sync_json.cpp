#include "api/sync_json.hpp"

#include <array>

namespace decant::api {
namespace {

constexpr std::array<std::string_view, 6> shown_counts{"read",      "created",     "updated",
                                                       "unchanged", "deactivated", "quarantined"};

std::vector<Field> run_fields() {
    std::vector<Field> fields{
        {.name = "run", .type = FieldType::integer, .required = true},
        {.name = "source", .required = true, .choices = {"dux", "csv", "sql"}},
        {.name = "scope", .required = true, .choices = {"full", "incremental", "partial"}},
        {.name = "state",
         .about =
             "incomplete: not all of the source could be read; stopped: the next run goes on with it; interrupted: so "
             "it does, the process died",
         .required = true,
         .choices = {"running", "complete", "incomplete", "stopped", "failed", "cancelled", "abandoned",
                     "interrupted"}},
        {.name = "started_at", .type = FieldType::time, .required = true},
        {.name = "ended_at", .type = FieldType::time, .required = true, .nullable = true}};
    for (const std::string_view name : shown_counts)
        fields.push_back({.name = name, .type = FieldType::integer, .required = true});
    return fields;
}

}  // namespace

json::object sync_run_json(const store::SyncRun& run) {
    json::object out = store::json_of(run);
    out.erase("origin");  // addresses and files are for those on the machine
    return out;
}

const Shape& sync_run_shape() {
    static const Shape shape{.name = "SyncRun", .fields = run_fields()};
    return shape;
}

}  // namespace decant::api
