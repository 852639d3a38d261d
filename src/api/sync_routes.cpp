#include <fmt/format.h>

#include "api/problem.hpp"
#include "api/routes.hpp"
#include "api/sync_duty.hpp"
#include "api/sync_json.hpp"
#include "api/worker.hpp"
#include "core/error.hpp"
#include "store/sync_store.hpp"

namespace decant::api {
namespace {

constexpr std::size_t shown_runs = 10;

const Shape status_answer{
    .name = "SyncStatus",
    .fields = {{.name = "enabled", .type = FieldType::boolean, .about = "Syncs begin by themselves", .required = true},
               {.name = "configured", .type = FieldType::boolean, .about = "DUX is set up", .required = true},
               {.name = "running", .type = FieldType::boolean, .about = "Of any source, anywhere", .required = true},
               {.name = "hours", .type = FieldType::texts, .about = "As 02:00, in the time zone", .required = true},
               {.name = "timezone", .required = true, .nullable = true},
               {.name = "next_sync_at", .type = FieldType::time, .required = true, .nullable = true},
               {.name = "last_complete_at", .type = FieldType::time, .required = true, .nullable = true},
               {.name = "runs",
                .type = FieldType::objects,
                .about = "The newest first, ten at most",
                .required = true,
                .shape = &sync_run_shape()},
               {.name = "timestamp", .type = FieldType::time, .required = true}}};

const Shape force_body{.name = "SyncForce",
                       .fields = {{.name = "full",
                                   .type = FieldType::boolean,
                                   .about = "All items, also where only those that changed would do",
                                   .fallback = false}}};

const Shape force_answer{.name = "SyncForced",
                         .fields = {{.name = "status", .required = true, .choices = {"started"}},
                                    {.name = "check_status_url", .required = true}}};

const Shape cancel_answer{
    .name = "SyncCancelled",
    .fields = {{.name = "status", .about = "It ends after its page", .required = true, .choices = {"cancelling"}},
               {.name = "check_status_url", .required = true}}};

constexpr std::string_view status_path = "/api/v1/dux/sync/status";

Reply status(Call& call) {
    const SyncDuty& duty = *call.worker->services().sync;
    pg::Connection& db = call.worker->db();
    store::SyncStore store{db};
    json::array runs;
    for (const store::SyncRun& run : store.runs(shown_runs))
        runs.push_back(sync_run_json(run));
    json::array hours;
    json::value next = nullptr;
    if (const auto& schedule = duty.schedule()) {
        for (const int hour : schedule->hours)
            hours.emplace_back(fmt::format("{:02}:00", hour));
        next = sync::look_ahead(db, *schedule).next;
    }
    const auto complete = store.last_complete("dux", "");
    return {.body = json::object{{"enabled", duty.schedule().has_value()},
                                 {"configured", duty.is_configured()},
                                 {"running", store.is_running()},
                                 {"hours", std::move(hours)},
                                 {"timezone", duty.schedule() ? json::value(duty.schedule()->zone) : nullptr},
                                 {"next_sync_at", std::move(next)},
                                 {"last_complete_at", complete ? json::value(*complete) : nullptr},
                                 {"runs", std::move(runs)},
                                 {"timestamp", timestamp()}}};
}

Reply force(Call& call) {
    store::SyncStore store{call.worker->db()};
    if (store.is_running())
        throw Error{ErrorCode::busy, "A sync is running already", fmt::format("GET {} shows it.", status_path)};
    call.worker->services().sync->ask(call.body.at("full").as_bool());
    return {.status = 202, .body = json::object{{"status", "started"}, {"check_status_url", status_path}}};
}

Reply cancel(Call& call) {
    store::SyncStore store{call.worker->db()};
    if (!store.ask_cancel())
        throw Error{ErrorCode::not_found, "No sync is running",
                    fmt::format("GET {} shows the last ones.", status_path)};
    return {.status = 202, .body = json::object{{"status", "cancelling"}, {"check_status_url", status_path}}};
}

}  // namespace

std::vector<Route> sync_routes() {
    return {{.method = "GET",
             .path = status_path,
             .id = "syncStatus",
             .group = "sync",
             .summary = "The sync under way, the last ones, and when the next one begins",
             .scope = Scope::metrics,
             .rate = RateClass::monitoring,
             .lane = LaneKind::work,
             .answer = &status_answer,
             .handle = status},
            {.method = "POST",
             .path = "/api/v1/dux/sync/force",
             .id = "syncForce",
             .group = "sync",
             .summary = "Begins a sync with DUX now",
             .scope = Scope::admin,
             .rate = RateClass::monitoring,
             .lane = LaneKind::work,
             .body = &force_body,
             .answer = &force_answer,
             .success = 202,
             .refusals = {409},
             .body_may_be_absent = true,
             .example = json::object{{"full", false}},
             .handle = force},
            {.method = "POST",
             .path = "/api/v1/dux/sync/cancel",
             .id = "syncCancel",
             .group = "sync",
             .summary = "Has the sync that is under way end after its page",
             .scope = Scope::admin,
             .rate = RateClass::monitoring,
             .lane = LaneKind::work,
             .answer = &cancel_answer,
             .success = 202,
             .refusals = {404},
             .handle = cancel}};
}

}  // namespace decant::api
