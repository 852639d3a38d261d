#include "api/problem.hpp"
#include "api/routes.hpp"
#include "api/worker.hpp"
#include "quality/experiment_report.hpp"
#include "quality/monitor.hpp"
#include "store/experiment_store.hpp"

namespace decant::api {
namespace {

const Shape range_query{.name = "QualityQuery",
                        .fields = {{.name = "time_range", .fallback = "24h", .choices = {"1h", "24h", "7d", "30d"}}}};

Field number(std::string_view name, std::string_view about) {
    return {.name = name, .type = FieldType::number, .about = about, .required = true, .nullable = true};
}

const Shape metric_shape{
    .name = "QualityMetric",
    .fields = {{.name = "name", .required = true},
               number("value", "null: there is nothing to tell it from"),
               number("target", "null: none is known for this model"),
               {.name = "target_is", .required = true, .choices = {"at_least", "below"}},
               {.name = "state", .required = true, .choices = {"met", "missed", "unknown", "no_target"}},
               number("before", "In the range before"),
               {.name = "trend", .required = true, .choices = {"better", "worse", "steady", "unknown"}}}};

const Shape quality_answer{
    .name = "Quality",
    .fields = {{.name = "time_range", .required = true, .choices = {"1h", "24h", "7d", "30d"}},
               {.name = "embedding_model", .required = true},
               {.name = "searches", .type = FieldType::integer, .required = true},
               {.name = "feedbacks", .type = FieldType::integer, .required = true},
               {.name = "missed", .type = FieldType::integer, .about = "Targets that are missed", .required = true},
               {.name = "metrics", .type = FieldType::objects, .required = true, .shape = &metric_shape},
               {.name = "probed_at",
                .type = FieldType::time,
                .about = "When the index was compared with the exact scan",
                .required = true,
                .nullable = true},
               {.name = "timestamp", .type = FieldType::time, .required = true}}};

const Shape arm_shape{.name = "ExperimentArm",
                      .fields = {{.name = "arm", .about = "The strategy", .required = true},
                                 {.name = "weight", .type = FieldType::integer, .required = true}}};

const Shape experiment_shape{
    .name = "Experiment",
    .fields = {{.name = "name", .required = true},
               {.name = "state", .required = true, .choices = {"running", "stopped"}},
               {.name = "arms", .type = FieldType::objects, .required = true, .shape = &arm_shape},
               {.name = "unit", .required = true, .choices = {"user", "session"}},
               {.name = "mode", .required = true, .choices = {"split", "interleave", "shadow"}},
               {.name = "metric", .about = "That decides", .required = true},
               {.name = "started_at", .type = FieldType::time, .required = true},
               {.name = "stopped_at", .type = FieldType::time, .required = true, .nullable = true},
               {.name = "days", .type = FieldType::number, .required = true}}};

const Shape experiments_answer{.name = "Experiments",
                               .fields = {{.name = "experiments",
                                           .type = FieldType::objects,
                                           .about = "The newest first",
                                           .required = true,
                                           .shape = &experiment_shape},
                                          {.name = "timestamp", .type = FieldType::time, .required = true}}};

const Shape report_path{.name = "ExperimentPath",
                        .fields = {{.name = "name", .required = true, .least = 1, .most = 64}}};

const Shape estimate_shape{
    .name = "Estimate",
    .fields = {{.name = "value", .type = FieldType::number, .required = true},
               number("low", "Of the 95 % interval, which holds at every look; null: too few units"),
               number("high", "The same"),
               {.name = "p", .type = FieldType::number, .about = "Holds at every look too"}}};

const Shape arm_metric_shape{
    .name = "ArmMetric",
    .fields = {
        {.name = "metric", .required = true},
        {.name = "units", .type = FieldType::integer, .required = true},
        {.name = "mean", .type = FieldType::object, .required = true, .shape = &estimate_shape, .nullable = true},
        {.name = "difference",
         .type = FieldType::object,
         .about = "To the first arm",
         .required = true,
         .shape = &estimate_shape,
         .nullable = true}}};

const Shape arm_report_shape{
    .name = "ArmReport",
    .fields = {{.name = "arm", .required = true},
               {.name = "weight", .type = FieldType::integer, .required = true},
               {.name = "units", .type = FieldType::integer, .about = "Users or sessions", .required = true},
               {.name = "searches", .type = FieldType::integer, .required = true},
               {.name = "is_shadow", .type = FieldType::boolean, .required = true},
               {.name = "verdict", .required = true, .choices = {"undecided", "better", "worse"}},
               {.name = "metrics", .type = FieldType::objects, .required = true, .shape = &arm_metric_shape}}};

const Shape preference_shape{
    .name = "Preference",
    .fields = {{.name = "arm", .required = true},
               {.name = "wins",
                .type = FieldType::integer,
                .about = "Users or sessions that chose more of this arm's products than of the first one's",
                .required = true},
               {.name = "losses", .type = FieldType::integer, .required = true},
               {.name = "ties", .type = FieldType::integer, .required = true},
               {.name = "share", .type = FieldType::object, .required = true, .shape = &estimate_shape}}};

const Shape report_answer{
    .name = "ExperimentReport",
    .fields = {{.name = "experiment", .type = FieldType::object, .required = true, .shape = &experiment_shape},
               {.name = "conclusion", .about = "One sentence", .required = true},
               {.name = "is_split_wrong",
                .type = FieldType::boolean,
                .about = "Arms got other shares than they were to: do not trust the comparison",
                .required = true},
               {.name = "arms", .type = FieldType::objects, .required = true, .shape = &arm_report_shape},
               {.name = "preference",
                .type = FieldType::object,
                .about = "Of an interleaved experiment",
                .required = true,
                .shape = &preference_shape,
                .nullable = true},
               {.name = "effect",
                .type = FieldType::number,
                .about = "Of the first arm's mean, that units_needed is for",
                .required = true},
               {.name = "units_needed",
                .type = FieldType::integer,
                .about = "Of each arm",
                .required = true,
                .nullable = true},
               {.name = "timestamp", .type = FieldType::time, .required = true}}};

constexpr double shown_effect = 0.05;

Reply show_quality(Call& call) {
    const std::string name{call.query.at("time_range").as_string()};
    const store::MetricsRange range = store::metrics_range_names.find(name).value_or(store::MetricsRange::day);
    json::object body =
        json_of(quality::read_quality(call.worker->db(), range, call.worker->services().quality_subject()));
    body["timestamp"] = timestamp();
    return {.body = std::move(body)};
}

Reply list_experiments(Call& call) {
    json::array experiments;
    for (const store::Experiment& experiment : store::ExperimentStore{call.worker->db()}.list())
        experiments.push_back(quality::json_of(experiment));
    return {.body = json::object{{"experiments", std::move(experiments)}, {"timestamp", timestamp()}}};
}

Reply show_experiment(Call& call) {
    json::object body = json_of(quality::read_experiment_report(call.worker->db(), call.path.front(), shown_effect));
    body["timestamp"] = timestamp();
    return {.body = std::move(body)};
}

Route quality_route(std::string_view path, std::string_view id, std::string_view summary) {
    return {.method = "GET",
            .path = path,
            .id = id,
            .group = "quality",
            .summary = summary,
            .scope = Scope::metrics,
            .rate = RateClass::monitoring,
            .lane = LaneKind::work};
}

}  // namespace

std::vector<Route> quality_routes() {
    Route quality = quality_route("/api/v1/quality", "quality", "How good the search was, against its targets");
    quality.query = &range_query;
    quality.answer = &quality_answer;
    quality.handle = show_quality;
    Route experiments = quality_route("/api/v1/experiments", "experiments", "The experiments, the newest first");
    experiments.answer = &experiments_answer;
    experiments.handle = list_experiments;
    Route report = quality_route("/api/v1/experiments/{name}", "experimentReport", "What an experiment found by now");
    report.path_shape = &report_path;
    report.answer = &report_answer;
    report.refusals = {404};
    report.handle = show_experiment;
    return {quality, experiments, report};
}

}  // namespace decant::api
