#include "api/problem.hpp"
#include "api/routes.hpp"
#include "api/worker.hpp"
#include "core/json_members.hpp"
#include "store/feedback_store.hpp"

namespace decant::api {
namespace {

const Shape feedback_body{
    .name = "FeedbackRequest",
    .fields = {{.name = "run_id", .about = "What it is about: the X-Request-Id of an answer", .least = 1, .most = 128},
               {.name = "message_id", .about = "Or the id of a message of a chat", .least = 1, .most = 128},
               {.name = "score",
                .type = FieldType::number,
                .about = "0 is bad, 1 is good. Only with product_id it may be left out: chosen, and nothing said",
                .least = 0,
                .most = 1},
               {.name = "comment", .least = 1, .most = 2000, .nullable = true},
               {.name = "product_id",
                .type = FieldType::uuid,
                .about = "The product of the answer that was chosen: opened, or put into the cart"}},
    .one_of = {"run_id", "message_id"},
    .any_of = {"score", "product_id"}};

const Shape feedback_answer{.name = "FeedbackStored",
                            .fields = {{.name = "feedback_id", .required = true},
                                       {.name = "status",
                                        .about = "replaced: what the same caller said of the same answer before",
                                        .required = true,
                                        .choices = {"stored", "replaced"}},
                                       {.name = "timestamp", .type = FieldType::time, .required = true}}};

Reply give_feedback(Call& call) {
    const std::optional<std::string> run = text_member(call.body, "run_id");
    const std::optional<std::string> message = text_member(call.body, "message_id");
    const std::optional<std::string> product = text_member(call.body, "product_id");
    const std::optional<double> score = number_member(call.body, "score");
    const store::StoredFeedback stored = store::store_feedback(
        call.worker->db(), {.subject = run ? store::Feedback::Subject::run : store::Feedback::Subject::message,
                            .subject_id = run ? *run : *message,
                            .caller = call.caller.name,
                            .score = score,
                            .comment = text_member(call.body, "comment"),
                            .product = product});
    if (score) call.worker->services().tracer.feedback_came();
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
