#include "api/problem.hpp"
#include "api/routes.hpp"
#include "api/worker.hpp"
#include "core/error.hpp"
#include "store/feedback_store.hpp"

namespace decant::api {
namespace {

const Shape feedback_body{
    .name = "FeedbackRequest",
    .fields = {{.name = "run_id", .about = "What it is about: the X-Request-Id of an answer", .least = 1, .most = 128},
               {.name = "message_id", .about = "Or the id of a message of a chat", .least = 1, .most = 128},
               {.name = "score",
                .type = FieldType::number,
                .about = "0 is bad, 1 is good",
                .required = true,
                .least = 0,
                .most = 1},
               {.name = "comment", .least = 1, .most = 2000, .nullable = true}},
    .one_of = {"run_id", "message_id"}};

const Shape feedback_answer{.name = "FeedbackStored",
                            .fields = {{.name = "feedback_id", .required = true},
                                       {.name = "status",
                                        .about = "replaced: what the same caller said of the same answer before",
                                        .required = true,
                                        .choices = {"stored", "replaced"}},
                                       {.name = "timestamp", .type = FieldType::time, .required = true}}};

std::optional<std::string> text_of(const json::object& body, std::string_view name) {
    const json::value* value = body.if_contains(name);
    return value == nullptr || value->is_null() ? std::nullopt : std::optional{std::string{value->as_string()}};
}

Reply give_feedback(Call& call) {
    const std::optional<std::string> run = text_of(call.body, "run_id");
    const std::optional<std::string> message = text_of(call.body, "message_id");
    const store::StoredFeedback stored = store::store_feedback(
        call.worker->db(), {.subject = run ? store::Feedback::Subject::run : store::Feedback::Subject::message,
                            .subject_id = run ? *run : *message,
                            .caller = call.caller.name,
                            .score = call.body.at("score").to_number<double>(),
                            .comment = text_of(call.body, "comment")});
    return {.status = 201,
            .body = json::object{{"feedback_id", std::to_string(stored.id)},
                                 {"status", stored.is_new ? "stored" : "replaced"},
                                 {"timestamp", timestamp()}}};
}

}  // namespace

std::vector<Route> feedback_routes() {
    return {{.method = "POST",
             .path = "/api/v1/feedback",
             .id = "giveFeedback",
             .group = "feedback",
             .summary = "Keeps what somebody thought of an answer",
             .scope = Scope::chat,
             .rate = RateClass::chat,
             .lane = LaneKind::work,
             .body = &feedback_body,
             .answer = &feedback_answer,
             .success = 201,
             .example = json::object{{"run_id", "3f2c"}, {"score", 1}, {"comment", "Era lo que buscaba"}},
             .handle = give_feedback}};
}

}  // namespace decant::api
