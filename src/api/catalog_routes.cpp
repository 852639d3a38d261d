#include <fmt/format.h>

#include "api/batch_json.hpp"
#include "api/problem.hpp"
#include "api/routes.hpp"
#include "api/sync_json.hpp"
#include "api/worker.hpp"
#include "core/json_members.hpp"
#include "store/catalog_state.hpp"
#include "store/embedding_indexes.hpp"
#include "store/migration_history.hpp"

namespace decant::api {
namespace {

constexpr std::size_t most_of_each = 10;

const Shape model_shape{
    .name = "ModelEmbeddings",
    .fields = {{.name = "embedding_model", .required = true, .nullable = true},
               {.name = "embedding_dimensions", .type = FieldType::integer, .required = true, .nullable = true},
               {.name = "products", .type = FieldType::integer, .required = true},
               {.name = "oldest", .type = FieldType::time, .required = true, .nullable = true},
               {.name = "newest", .type = FieldType::time, .required = true, .nullable = true}}};

const Shape embeddings_shape{
    .name = "CatalogEmbeddings",
    .fields = {{.name = "counted_at", .type = FieldType::time, .required = true},
               {.name = "total_products", .type = FieldType::integer, .about = "Active ones", .required = true},
               {.name = "products_with_embeddings", .type = FieldType::integer, .required = true},
               {.name = "products_without_embeddings", .type = FieldType::integer, .required = true},
               {.name = "stale_embeddings_count", .type = FieldType::integer, .required = true},
               {.name = "coverage_percentage", .type = FieldType::number, .required = true},
               {.name = "average_embedding_age_days", .type = FieldType::number, .required = true, .nullable = true},
               {.name = "by_model", .type = FieldType::objects, .required = true, .shape = &model_shape}}};

const Shape index_shape{
    .name = "EmbeddingIndex",
    .fields = {{.name = "name", .required = true},
               {.name = "method", .required = true},
               {.name = "operator_class", .required = true},
               {.name = "bytes", .type = FieldType::integer, .required = true},
               {.name = "valid",
                .type = FieldType::boolean,
                .about = "false: it is being built, or its build failed",
                .required = true},
               {.name = "ready", .type = FieldType::boolean, .about = "Whether it takes new rows", .required = true}}};

const Shape build_shape{
    .name = "IndexBuild",
    .fields = {{.name = "index", .about = "null: only its builder sees it yet", .required = true, .nullable = true},
               {.name = "phase", .required = true},
               {.name = "done", .type = FieldType::integer, .required = true},
               {.name = "total",
                .type = FieldType::integer,
                .about = "Of this phase; 0 where it is not known",
                .required = true}}};

const Shape storage_shape{
    .name = "CatalogStorage",
    .fields = {{.name = "table_bytes", .type = FieldType::integer, .required = true},
               {.name = "index_bytes", .type = FieldType::integer, .about = "Of all indexes", .required = true},
               {.name = "indexes",
                .type = FieldType::objects,
                .about = "Those on products.embedding",
                .required = true,
                .shape = &index_shape},
               {.name = "builds",
                .type = FieldType::objects,
                .about = "Indexes of products that are being built now",
                .required = true,
                .shape = &build_shape}}};

const Shape check_shape{.name = "MigrationCheck",
                        .fields = {{.name = "equal", .type = FieldType::boolean, .required = true},
                                   {.name = "compared", .type = FieldType::integer, .required = true},
                                   {.name = "differences", .type = FieldType::integer, .required = true}}};

const Shape migration_shape{
    .name = "MigrationRun",
    .fields = {{.name = "run", .type = FieldType::integer, .required = true},
               {.name = "command", .required = true},
               {.name = "state", .required = true},
               {.name = "table", .required = true},
               {.name = "source", .required = true},
               {.name = "collection", .required = true},
               {.name = "read", .type = FieldType::integer, .required = true},
               {.name = "written", .type = FieldType::integer, .required = true},
               {.name = "unchanged", .type = FieldType::integer, .required = true},
               {.name = "rejected", .type = FieldType::integer, .required = true},
               {.name = "started_at", .type = FieldType::time, .required = true},
               {.name = "finished_at", .type = FieldType::time, .required = true, .nullable = true},
               {.name = "verification",
                .type = FieldType::object,
                .about = "The last one; null: it was not verified",
                .required = true,
                .shape = &check_shape,
                .nullable = true},
               {.name = "recall", .type = FieldType::number, .required = true, .nullable = true}}};

const Shape batch_shape{
    .name = "RecentBatch",
    .fields = {{.name = "job_id", .required = true},
               {.name = "status", .required = true, .choices = {"pending", "running", "completed", "failed"}},
               {.name = "progress", .type = FieldType::object, .required = true, .shape = &batch_progress_shape()},
               {.name = "summary", .type = FieldType::object, .required = true, .shape = &batch_summary_shape()},
               {.name = "created_at", .type = FieldType::time, .required = true},
               {.name = "started_at", .type = FieldType::time, .required = true, .nullable = true},
               {.name = "finished_at", .type = FieldType::time, .required = true, .nullable = true}}};

const Shape queue_shape{
    .name = "EmbeddingQueue",
    .fields = {{.name = "ready", .type = FieldType::integer, .required = true},
               {.name = "delayed", .type = FieldType::integer, .about = "To be tried again later", .required = true},
               {.name = "leased", .type = FieldType::integer, .about = "Being embedded", .required = true},
               {.name = "dead_letters", .type = FieldType::integer, .about = "Given up", .required = true}}};

const Shape dead_letter_shape{.name = "DeadLetter",
                              .fields = {{.name = "product_id", .type = FieldType::uuid, .required = true},
                                         {.name = "name", .about = "Empty: it is gone", .required = true},
                                         {.name = "reason", .required = true},
                                         {.name = "attempts", .type = FieldType::integer, .required = true},
                                         {.name = "failed_at", .type = FieldType::time, .required = true}}};

const Shape catalog_answer{
    .name = "CatalogReport",
    .fields = {{.name = "embedding_model", .about = "The one in use", .required = true},
               {.name = "embeddings",
                .type = FieldType::object,
                .about = "Counted by passing over all products, at most half a minute ago; null: not counted yet",
                .required = true,
                .shape = &embeddings_shape,
                .nullable = true},
               {.name = "queue",
                .type = FieldType::object,
                .about = "Counted at most ten seconds ago; null: not counted yet",
                .required = true,
                .shape = &queue_shape,
                .nullable = true},
               {.name = "storage", .type = FieldType::object, .required = true, .shape = &storage_shape},
               {.name = "migrations",
                .type = FieldType::objects,
                .about = "The newest 10, as the next three",
                .required = true,
                .shape = &migration_shape},
               {.name = "batches", .type = FieldType::objects, .required = true, .shape = &batch_shape},
               {.name = "dead_letters", .type = FieldType::objects, .required = true, .shape = &dead_letter_shape},
               {.name = "syncs", .type = FieldType::objects, .required = true, .shape = &sync_run_shape()},
               {.name = "timestamp", .type = FieldType::time, .required = true}}};

json::value embeddings_json(const std::optional<CatalogCount>& count, const json::value& dimension) {
    if (!count) return nullptr;
    json::array models;
    for (const store::ModelEmbeddings& one : count->models)
        models.push_back(json::object{{"embedding_model", or_null(one.model)},
                                      {"embedding_dimensions", dimension},
                                      {"products", one.products},
                                      {"oldest", or_null(one.oldest)},
                                      {"newest", or_null(one.newest)}});
    const store::EmbeddingStatistics& statistics = count->statistics;
    return json::object{{"counted_at", count->counted_at},
                        {"total_products", statistics.products},
                        {"products_with_embeddings", statistics.with_embedding},
                        {"products_without_embeddings", statistics.without_embedding()},
                        {"stale_embeddings_count", statistics.stale},
                        {"coverage_percentage", statistics.coverage_percentage()},
                        {"average_embedding_age_days", or_null(statistics.average_age_days)},
                        {"by_model", std::move(models)}};
}

json::value queue_json(const std::optional<ServerState::Jobs>& jobs) {
    if (!jobs) return nullptr;
    return json::object{
        {"ready", jobs->ready}, {"delayed", jobs->delayed}, {"leased", jobs->leased}, {"dead_letters", jobs->dead}};
}

json::object storage_json(const store::EmbeddingStorage& storage) {
    json::array indexes;
    for (const store::EmbeddingIndex& index : storage.indexes)
        indexes.push_back(json::object{{"name", index.name},
                                       {"method", index.method},
                                       {"operator_class", index.operator_class},
                                       {"bytes", index.bytes},
                                       {"valid", index.is_valid},
                                       {"ready", index.is_ready}});
    json::array builds;
    for (const store::IndexBuildState& build : storage.builds)
        builds.push_back(json::object{
            {"index", or_null(build.index)}, {"phase", build.phase}, {"done", build.done}, {"total", build.total}});
    return {{"table_bytes", storage.table_bytes},
            {"index_bytes", storage.index_bytes},
            {"indexes", std::move(indexes)},
            {"builds", std::move(builds)}};
}

json::array migrations_json(const std::vector<store::MigrationSummary>& runs) {
    json::array out;
    for (const store::MigrationSummary& run : runs) {
        json::value check = nullptr;
        if (run.check)
            check = json::object{{"equal", run.check->is_equal},
                                 {"compared", run.check->compared},
                                 {"differences", run.check->differences}};
        out.push_back(json::object{{"run", run.id},
                                   {"command", run.command},
                                   {"state", run.state},
                                   {"table", run.table},
                                   {"source", run.source},
                                   {"collection", run.collection},
                                   {"read", run.read},
                                   {"written", run.written},
                                   {"unchanged", run.unchanged},
                                   {"rejected", run.rejected},
                                   {"started_at", run.started_at},
                                   {"finished_at", or_null(run.finished_at)},
                                   {"verification", std::move(check)},
                                   {"recall", or_null(run.recall)}});
    }
    return out;
}

json::array batches_json(const std::vector<store::JobBatch>& batches) {
    json::array out;
    for (const store::JobBatch& batch : batches) {
        json::object one = batch_json(batch);
        one["created_at"] = batch.created_at;
        one["finished_at"] = or_null(batch.finished_at);
        out.push_back(std::move(one));
    }
    return out;
}

json::array dead_letters_json(const std::vector<store::DeadLetter>& letters) {
    json::array out;
    for (const store::DeadLetter& letter : letters) {
        out.push_back(json::object{
            {"product_id", letter.product_id},
            {"name", letter.name},
            {"reason", letter.error},
            {"attempts", letter.attempts},
            {"failed_at", fmt::format("{}T{}Z", letter.failed_at.substr(0, 10), letter.failed_at.substr(11))}});
    }
    return out;
}

json::array syncs_json(const std::vector<store::SyncRun>& runs) {
    json::array out;
    for (const store::SyncRun& run : runs)
        out.push_back(sync_run_json(run));
    return out;
}

Reply catalog(Call& call) {
    pg::Connection& db = call.worker->db();
    Services& services = call.worker->services();
    store::EmbeddingStorage storage = store::read_embedding_storage(db);
    store::JobQueue queue{db};
    queue.require();
    store::SyncStore syncs{db};
    return {.body = json::object{{"embedding_model", services.model_name()},
                                 {"embeddings", embeddings_json(services.catalog_count(),
                                                                or_null(store::read_catalog_state(db).dimension))},
                                 {"queue", queue_json(services.state().jobs)},
                                 {"storage", storage_json(storage)},
                                 {"migrations", migrations_json(store::read_migration_history(db, most_of_each))},
                                 {"batches", batches_json(queue.recent_batches(most_of_each))},
                                 {"dead_letters", dead_letters_json(queue.dead_letters(most_of_each))},
                                 {"syncs", syncs_json(syncs.runs_if_any(most_of_each))},
                                 {"timestamp", timestamp()}}};
}

}  // namespace

std::vector<Route> catalog_routes() {
    return {{.method = "GET",
             .path = "/api/v1/pgvector/catalog",
             .id = "catalogReport",
             .group = "statistics",
             .summary = "The state of the catalog: embeddings, indexes, migrations, jobs, syncs",
             .scope = Scope::metrics,
             .rate = RateClass::monitoring,
             .lane = LaneKind::work,
             .answer = &catalog_answer,
             .refusals = {404},
             .handle = catalog}};
}

}  // namespace decant::api
