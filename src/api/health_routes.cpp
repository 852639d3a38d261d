#include "api/problem.hpp"
#include "api/routes.hpp"
#include "api/worker.hpp"

namespace decant::api {
namespace {

const Shape alive_answer{.name = "Alive",
                         .fields = {{.name = "status", .required = true, .choices = {"ok"}},
                                    {.name = "timestamp", .type = FieldType::time, .required = true}}};

const Shape checks_shape{.name = "ReadyChecks",
                         .fields = {{.name = "database", .required = true, .choices = {"up", "down"}},
                                    {.name = "schema", .required = true, .choices = {"up", "down", "unknown"}},
                                    {.name = "extension", .required = true, .choices = {"up", "down", "unknown"}},
                                    {.name = "embedder", .required = true, .choices = {"up", "down"}}}};

const Shape ready_answer{
    .name = "Ready",
    .fields = {{.name = "status",
                .about = "degraded: searches are answered by words alone",
                .required = true,
                .choices = {"ready", "degraded", "not_ready", "draining"}},
               {.name = "checks", .type = FieldType::object, .required = true, .shape = &checks_shape},
               {.name = "timestamp", .type = FieldType::time, .required = true}}};

Reply alive(Call&) {
    return {.body = json::object{{"status", "ok"}, {"timestamp", timestamp()}}};
}

std::string_view state_of(bool is_known, bool is_there) {
    return !is_known ? "unknown" : is_there ? "up" : "down";
}

}  // namespace

std::vector<Route> health_routes(Services& services) {
    const auto ready = [&services](Call&) -> Reply {
        const bool has_database = services.database.is_up();
        const bool can_search = has_database && services.facts.has_schema && services.facts.has_extension;
        const bool has_embedder = services.embedders.current()->is_up();
        const std::string_view status = services.draining.stop_requested() ? "draining"
                                        : !can_search                      ? "not_ready"
                                        : has_embedder                     ? "ready"
                                                                           : "degraded";
        json::object checks{{"database", has_database ? "up" : "down"},
                            {"schema", state_of(has_database, services.facts.has_schema)},
                            {"extension", state_of(has_database, services.facts.has_extension)},
                            {"embedder", has_embedder ? "up" : "down"}};
        return {.status = can_search && !services.draining.stop_requested() ? 200 : 503,
                .body = json::object{{"status", status}, {"checks", std::move(checks)}, {"timestamp", timestamp()}}};
    };
    return {{.method = "GET",
             .path = "/healthz",
             .id = "alive",
             .group = "health",
             .summary = "The process is alive",
             .lane = LaneKind::immediate,
             .answer = &alive_answer,
             .handle = alive},
            {.method = "GET",
             .path = "/readyz",
             .id = "ready",
             .group = "health",
             .summary = "Database, extension, schema and embedder are reachable",
             .lane = LaneKind::immediate,
             .answer = &ready_answer,
             .also_answers = {503},
             .handle = ready}};
}

}  // namespace decant::api
