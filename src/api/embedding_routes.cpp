#include <fmt/format.h>

#include <charconv>

#include "api/batch_json.hpp"
#include "api/problem.hpp"
#include "api/routes.hpp"
#include "api/worker.hpp"
#include "catalog/uuid.hpp"
#include "core/error.hpp"
#include "core/json_members.hpp"
#include "core/strict_json.hpp"
#include "store/embedding_statistics.hpp"
#include "store/idempotency.hpp"
#include "store/job_queue.hpp"
#include "work/product_embedder.hpp"

namespace decant::api {
namespace {

constexpr std::string_view batch_path = "/api/v1/pgvector/embeddings/batch";
/// A product that changes, or is locked by someone, while its vector is made is tried again.
constexpr int most_tries = 3;
/// A million products go into the queue in ten seconds.
constexpr std::string_view patience_sql = "SET LOCAL statement_timeout = '60s'";

const Shape product_path{.name = "EmbeddedProductPath",
                         .fields = {{.name = "product_id", .type = FieldType::uuid, .required = true}}};

const Shape product_query{.name = "EmbedProductQuery",
                          .fields = {{.name = "force",
                                      .type = FieldType::boolean,
                                      .about = "Also where its vector is of its text",
                                      .fallback = false}}};

const Shape product_answer{.name = "EmbeddedProduct",
                           .fields = {{.name = "product_id", .type = FieldType::uuid, .required = true},
                                      {.name = "success", .type = FieldType::boolean, .required = true},
                                      {.name = "embedding_generated",
                                       .type = FieldType::boolean,
                                       .about = "false: its vector was of its text already, or it is not active",
                                       .required = true},
                                      {.name = "embedding_dimensions", .type = FieldType::integer, .required = true},
                                      {.name = "embedding_model", .required = true},
                                      {.name = "timestamp", .type = FieldType::time, .required = true}}};

const Shape batch_body{.name = "EmbedBatchRequest",
                       .fields = {{.name = "product_ids",
                                   .type = FieldType::uuids,
                                   .about = "Default: all active products",
                                   .least = 1,
                                   .most = 10'000,
                                   .nullable = true},
                                  {.name = "force",
                                   .type = FieldType::boolean,
                                   .about = "Also those whose vector is of their text",
                                   .fallback = false},
                                  {.name = "batch_size",
                                   .type = FieldType::integer,
                                   .about = "Products a transaction",
                                   .least = 1,
                                   .most = 100,
                                   .fallback = 50}}};

const Shape batch_answer{
    .name = "EmbedBatchAccepted",
    .fields = {{.name = "status", .required = true, .choices = {"pending", "running", "completed", "failed"}},
               {.name = "job_id", .required = true},
               {.name = "estimated_duration_seconds", .type = FieldType::integer, .required = true},
               {.name = "check_status_url", .required = true}}};

const Shape job_path{.name = "BatchPath", .fields = {{.name = "job_id", .required = true, .least = 1, .most = 20}}};

const Shape job_answer{
    .name = "BatchStatus",
    .fields = {{.name = "job_id", .required = true},
               {.name = "status",
                .about = "failed: it is over, and not one product got through",
                .required = true,
                .choices = {"pending", "running", "completed", "failed"}},
               {.name = "progress", .type = FieldType::object, .required = true, .shape = &batch_progress_shape()},
               {.name = "summary", .type = FieldType::object, .required = true, .shape = &batch_summary_shape()},
               {.name = "started_at", .type = FieldType::time, .required = true, .nullable = true},
               {.name = "estimated_completion",
                .type = FieldType::time,
                .about = "By the rate so far",
                .required = true,
                .nullable = true}}};

const Shape stale_query{
    .name = "StaleQuery",
    .fields = {{.name = "threshold_days",
                .type = FieldType::integer,
                .about = "Older ones count as stale too",
                .least = 1,
                .most = 90,
                .fallback = 7},
               {.name = "limit", .type = FieldType::integer, .least = 1, .most = 1000, .fallback = 100}}};

const Shape stale_shape{
    .name = "StaleEmbedding",
    .fields = {{.name = "product_id", .type = FieldType::uuid, .required = true},
               {.name = "name", .required = true},
               {.name = "last_embedding_update",
                .type = FieldType::time,
                .about = "null: the product changed after it",
                .required = true,
                .nullable = true},
               {.name = "days_since_update", .type = FieldType::number, .required = true, .nullable = true}}};

const Shape stale_answer{
    .name = "StaleEmbeddings",
    .fields = {{.name = "threshold_days", .type = FieldType::integer, .required = true},
               {.name = "stale_embeddings", .type = FieldType::objects, .required = true, .shape = &stale_shape},
               {.name = "total_stale", .type = FieldType::integer, .required = true},
               {.name = "returned", .type = FieldType::integer, .required = true}}};

/// As PostgreSQL writes it; `text` passed its shape.
std::string uuid_text(std::string_view text) {
    return catalog::text_of(catalog::parse_uuid(text).value());
}

work::ProductResult embed_once(pg::Connection& db, work::ProductEmbedder& embedder, const work::Wanted& wanted) {
    embedder.prepare({wanted});
    pg::Transaction tx{db};
    work::ProductResult result = embedder.store({wanted.id}).front();
    tx.commit();
    return result;
}

struct EmbeddedNow {
    work::ProductResult result;
    embed::Model model;
};

EmbeddedNow embed_by_column(Call& call, const work::Wanted& wanted) {
    pg::Connection& db = call.worker->db();
    const std::shared_ptr<QueryEmbedder> model = call.worker->services().embedders.of(store::read_column_model(db));
    model->require();
    work::ProductEmbedder embedder{db, *model};
    embedder.check_model(false);
    work::ProductResult result{.id = wanted.id, .kind = work::ProductResult::Kind::changed};
    for (int tries = 0; tries < most_tries && result.kind == work::ProductResult::Kind::changed; ++tries)
        result = embed_once(db, embedder, wanted);
    return {std::move(result), model->model()};
}

EmbeddedNow embed_product_now(Call& call, const work::Wanted& wanted) {
    try {
        return embed_by_column(call, wanted);
    } catch (const Error& error) {
        if (error.code() != ErrorCode::source_changed) throw;
        return embed_by_column(call, wanted);  // the catalog went to another model in between
    }
}

Reply embed_product(Call& call) {
    using Kind = work::ProductResult::Kind;
    const bool is_forced = call.query.at("force").as_bool();
    const work::Wanted wanted{.id = uuid_text(call.path.at(0)),
                              .demand = is_forced ? store::Demand::all : store::Demand::stale};
    const auto [result, model] = embed_product_now(call, wanted);
    switch (result.kind) {
        case Kind::gone:
            throw Error{ErrorCode::not_found, fmt::format("No product has the id {}", wanted.id),
                        "POST /api/v1/pgvector/search finds products."};
        case Kind::changed:
            throw Error{ErrorCode::busy, fmt::format("Product {} is being changed by somebody else", wanted.id),
                        "Try again in a moment."};
        case Kind::failed:
            throw Error{ErrorCode::request_invalid,
                        fmt::format("Product {} cannot be embedded: {}", wanted.id, result.reason), ""};
        case Kind::embedded:
        case Kind::fresh:
            break;
    }
    return {.body = json::object{{"product_id", wanted.id},
                                 {"success", true},
                                 {"embedding_generated", result.kind == Kind::embedded},
                                 {"embedding_dimensions", model.dimension},
                                 {"embedding_model", model.name},
                                 {"timestamp", timestamp()}}};
}

store::ProductSelection selection_of(const json::object& body) {
    using Kind = store::ProductSelection::Kind;
    const bool is_forced = body.at("force").as_bool();
    store::ProductSelection selection{.kind = Kind::all,
                                      .demand = is_forced ? store::Demand::all : store::Demand::stale,
                                      .batch_size = static_cast<std::uint64_t>(body.at("batch_size").as_int64())};
    const json::value* ids = given_member(body, "product_ids");
    if (ids == nullptr) return selection;
    selection.kind = Kind::ids;
    for (const json::value& id : ids->as_array())
        selection.ids.push_back(uuid_text(id.as_string()));
    return selection;
}

store::KeptAnswer put_batch(store::JobQueue& queue, const store::ProductSelection& selection) {
    const store::JobBatch batch = queue.enqueue(selection);
    const json::object answer{{"status", store::batch_state_names[batch.state()]},
                              {"job_id", std::to_string(batch.id)},
                              {"estimated_duration_seconds", queue.estimate_wait().count()},
                              {"check_status_url", fmt::format("{}/{}", batch_path, batch.id)}};
    return {.status = 202, .body = json_text(answer)};
}

/// None: the header is not there.
std::optional<std::string> idempotency_key(const net::ServerRequest& request) {
    const auto key = sent_header(request, "idempotency-key");
    if (!key) return std::nullopt;
    const bool is_plain = std::ranges::all_of(*key, [](char c) { return c > ' ' && c <= '~'; });
    if (is_plain && key->size() <= 128) return std::string{*key};
    throw Error{ErrorCode::request_malformed, "Idempotency-Key takes 1 to 128 visible ASCII characters",
                "Send a UUID."};
}

Reply embed_batch(Call& call) {
    const std::optional<std::string> key = idempotency_key(call.request());
    const store::ProductSelection selection = selection_of(call.body);
    pg::Connection& db = call.worker->db();
    store::JobQueue queue{db};
    queue.require();
    const auto put = [&] {
        db.exec(patience_sql);
        return put_batch(queue, selection);
    };
    store::KeptAnswer answer;
    if (key) {
        const std::string content = fmt::format("POST {} {}", batch_path, json_text(call.body));
        answer = store::answer_once(db, {.caller = call.caller.name, .key = *key, .content = content}, put);
    } else {
        pg::Transaction tx{db};
        answer = put();
        tx.commit();
    }
    Reply reply{.status = answer.status, .body = parse_strict_json(answer.body)};
    reply.headers.emplace_back("Location", std::string{reply.body.as_object().at("check_status_url").as_string()});
    if (answer.is_repeated) reply.headers.emplace_back("Idempotent-Replayed", "true");
    return reply;
}

Reply batch_status(Call& call) {
    const std::string& name = call.path.at(0);
    std::int64_t id = 0;
    const auto [end, failed] = std::from_chars(name.data(), name.data() + name.size(), id);
    const bool is_number = failed == std::errc{} && end == name.data() + name.size();
    const auto batch = is_number ? store::JobQueue{call.worker->db()}.find_batch(id) : std::optional<store::JobBatch>{};
    if (!batch)
        throw Error{ErrorCode::not_found, "There is no job with this id", "Its id is in the answer that made it."};
    json::object answer = batch_json(*batch);
    answer["estimated_completion"] = or_null(batch->estimated_completion);
    return {.body = std::move(answer)};
}

Reply stale_embeddings(Call& call) {
    const std::int64_t days = call.query.at("threshold_days").as_int64();
    const store::StaleEmbeddings stale = store::read_stale_embeddings(
        call.worker->db(), {.model = call.worker->services().model_name(),
                            .days = static_cast<int>(days),
                            .limit = static_cast<std::uint64_t>(call.query.at("limit").as_int64())});
    json::array rows;
    for (const store::StaleEmbedding& one : stale.rows)
        rows.push_back(json::object{{"product_id", one.product_id},
                                    {"name", one.name},
                                    {"last_embedding_update", or_null(one.last_update)},
                                    {"days_since_update", or_null(one.days)}});
    const std::size_t returned = rows.size();
    return {.body = json::object{{"threshold_days", days},
                                 {"stale_embeddings", std::move(rows)},
                                 {"total_stale", stale.total},
                                 {"returned", returned}}};
}

}  // namespace

std::vector<Route> embedding_routes() {
    return {{.method = "POST",
             .path = "/api/v1/pgvector/embeddings/product/{product_id}",
             .id = "embedProduct",
             .group = "embeddings",
             .summary = "Makes the vector of one product, now",
             .scope = Scope::embed,
             .rate = RateClass::embedding,
             .lane = LaneKind::work,
             .path_shape = &product_path,
             .query = &product_query,
             .answer = &product_answer,
             .refusals = {404, 409},
             .is_read_back = true,
             .handle = embed_product},
            {.method = "POST",
             .path = batch_path,
             .id = "embedBatch",
             .group = "embeddings",
             .summary = "Puts products into the queue for embeddings",
             .scope = Scope::embed,
             .rate = RateClass::batch,
             .lane = LaneKind::work,
             .body = &batch_body,
             .answer = &batch_answer,
             .success = 202,
             .refusals = {404, 409},
             .body_may_be_absent = true,
             .is_read_back = true,
             .request_headers = {{"Idempotency-Key", "^[!-~]{1,128}$", "5b6e2f1c"}},
             .example = json::object{{"force", false}, {"batch_size", 50}},
             .handle = embed_batch},
            {.method = "GET",
             .path = "/api/v1/pgvector/embeddings/batch/{job_id}",
             .id = "batchStatus",
             .group = "embeddings",
             .summary = "How far a batch of embeddings is",
             .scope = Scope::embed,
             .rate = RateClass::monitoring,
             .path_shape = &job_path,
             .answer = &job_answer,
             .refusals = {404},
             .is_read_back = true,
             .handle = batch_status},
            {.method = "GET",
             .path = "/api/v1/pgvector/embeddings/stale",
             .id = "staleEmbeddings",
             .group = "embeddings",
             .summary = "Products whose vector is not of their text as it is, of another model, or old",
             .scope = Scope::embed,
             .rate = RateClass::monitoring,
             .query = &stale_query,
             .answer = &stale_answer,
             .handle = stale_embeddings}};
}

}  // namespace decant::api
