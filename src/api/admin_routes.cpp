#include "api/routes.hpp"
#include "api/worker.hpp"

namespace decant::api {
namespace {

const Shape reload_answer{
    .name = "Reloaded",
    .fields = {{.name = "changes", .type = FieldType::texts, .about = "A line each", .required = true}}};

Reply reload(Call& call) {
    json::array changes;
    for (const std::string& change : call.worker->services().reload())
        changes.emplace_back(change);
    return {.body = json::object{{"changes", std::move(changes)}}};
}

}  // namespace

std::vector<Route> admin_routes() {
    return {{.method = "POST",
             .path = "/api/v1/admin/reload",
             .id = "reload",
             .group = "admin",
             .summary = "Reads the settings again and takes what may change while the server runs",
             .scope = Scope::admin,
             .rate = RateClass::monitoring,
             .lane = LaneKind::work,
             .answer = &reload_answer,
             .handle = reload}};
}

}  // namespace decant::api
