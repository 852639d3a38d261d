#include "api/problem.hpp"
#include "api/routes.hpp"
#include "api/worker.hpp"
#include "core/error.hpp"
#include "core/json_members.hpp"
#include "store/catalog_state.hpp"
#include "store/embedding_statistics.hpp"
#include "store/pgvector.hpp"
#include "store/search_metrics.hpp"

namespace decant::api {
namespace {

const Shape health_answer{.name = "PgvectorHealth",
                          .fields = {{.name = "status", .required = true, .choices = {"healthy", "unhealthy"}},
                                     {.name = "pgvector_available", .type = FieldType::boolean, .required = true},
                                     {.name = "pgvector_version", .required = true, .nullable = true},
                                     {.name = "embedding_model", .required = true},
                                     {.name = "embedding_dimensions",
                                      .type = FieldType::integer,
                                      .about = "Of the catalog's column",
                                      .required = true,
                                      .nullable = true},
                                     {.name = "timestamp", .type = FieldType::time, .required = true}}};

const Shape statistics_answer{
    .name = "EmbeddingStatistics",
    .fields = {{.name = "total_products", .type = FieldType::integer, .about = "Active ones", .required = true},
               {.name = "products_with_embeddings", .type = FieldType::integer, .required = true},
               {.name = "products_without_embeddings", .type = FieldType::integer, .required = true},
               {.name = "coverage_percentage", .type = FieldType::number, .required = true},
               {.name = "embedding_model", .about = "The one in use", .required = true},
               {.name = "last_update", .type = FieldType::time, .required = true, .nullable = true},
               {.name = "average_embedding_age_days", .type = FieldType::number, .required = true, .nullable = true},
               {.name = "stale_embeddings_count", .type = FieldType::integer, .required = true}}};

const Shape metrics_query{.name = "MetricsQuery",
                          .fields = {{.name = "time_range", .fallback = "24h", .choices = {"1h", "24h", "7d", "30d"}},
                                     {.name = "series",
                                      .type = FieldType::boolean,
                                      .about = "With figures of each part of the range",
                                      .fallback = false}}};

/// Of all searches, of those that one strategy answered, or of a part of the range.
std::vector<Field> figure_fields() {
    const auto milliseconds = [](std::string_view name) {
        return Field{
            .name = name, .type = FieldType::number, .about = "Milliseconds", .required = true, .nullable = true};
    };
    return {{.name = "total_searches", .type = FieldType::integer, .required = true},
            milliseconds("average_latency_ms"),
            milliseconds("p50"),
            milliseconds("p95"),
            milliseconds("p99"),
            {.name = "error_rate", .type = FieldType::number, .about = "From 0 to 1", .required = true},
            {.name = "degraded_searches", .type = FieldType::integer, .required = true}};
}

std::vector<Field> quality_fields() {
    return {{.name = "average_similarity_score", .type = FieldType::number, .required = true, .nullable = true},
            {.name = "low_quality_searches",
             .type = FieldType::integer,
             .about = "Whose best product is less than 0.05 above the threshold",
             .required = true},
            {.name = "no_results_count", .type = FieldType::integer, .required = true}};
}

std::vector<Field> joined(std::vector<Field> fields, const std::vector<Field>& more) {
    fields.insert(fields.end(), more.begin(), more.end());
    return fields;
}

const Shape figures_shape{.name = "SearchMetrics", .fields = figure_fields()};
const Shape quality_shape{.name = "QualityMetrics", .fields = quality_fields()};

const Shape embedding_shape{
    .name = "EmbeddingMetrics",
    .fields = {{.name = "embeddings_generated", .type = FieldType::integer, .about = "In the range", .required = true},
               {.name = "queue_length", .type = FieldType::integer, .required = true},
               {.name = "dead_letters", .type = FieldType::integer, .required = true},
               {.name = "average_embedding_age_days",
                .type = FieldType::number,
                .about = "As of at most half a minute ago",
                .required = true,
                .nullable = true}}};

const Shape strategy_shape{
    .name = "StrategyMetrics",
    .fields = joined(
        joined({{.name = "strategy", .about = "That answered; none: all failed", .required = true}}, figure_fields()),
        quality_fields())};

const Shape bucket_shape{
    .name = "MetricsBucket",
    .fields = joined(joined({{.name = "start", .type = FieldType::time, .required = true}}, figure_fields()),
                     quality_fields())};

const Shape similarity_shape{.name = "SimilarityBucket",
                             .fields = {{.name = "from", .type = FieldType::number, .required = true},
                                        {.name = "to", .type = FieldType::number, .required = true},
                                        {.name = "searches", .type = FieldType::integer, .required = true}}};

const Shape question_shape{.name = "UnansweredQuestion",
                           .fields = {{.name = "question", .required = true},
                                      {.name = "searches", .type = FieldType::integer, .required = true},
                                      {.name = "last", .type = FieldType::time, .required = true}}};

const Shape series_shape{
    .name = "MetricsSeries",
    .fields = {{.name = "bucket_seconds", .type = FieldType::integer, .required = true},
               {.name = "buckets", .type = FieldType::objects, .required = true, .shape = &bucket_shape},
               {.name = "best_similarity",
                .type = FieldType::objects,
                .about = "Searches by the similarity of their best product",
                .required = true,
                .shape = &similarity_shape},
               {.name = "keeps_questions",
                .type = FieldType::boolean,
                .about = "Whether DECANT_KEEP_QUESTIONS is on",
                .required = true},
               {.name = "without_results",
                .type = FieldType::objects,
                .about = "Questions that found nothing, those asked most often first; none where they are not kept",
                .required = true,
                .shape = &question_shape}}};

const Shape metrics_answer{
    .name = "Metrics",
    .fields = {{.name = "time_range", .required = true, .choices = {"1h", "24h", "7d", "30d"}},
               {.name = "search_metrics", .type = FieldType::object, .required = true, .shape = &figures_shape},
               {.name = "quality_metrics", .type = FieldType::object, .required = true, .shape = &quality_shape},
               {.name = "embedding_metrics", .type = FieldType::object, .required = true, .shape = &embedding_shape},
               {.name = "strategies", .type = FieldType::objects, .required = true, .shape = &strategy_shape},
               {.name = "series", .type = FieldType::object, .shape = &series_shape},
               {.name = "timestamp", .type = FieldType::time, .required = true}}};

void add_figures(json::object& object, const store::SearchFigures& figures) {
    object["total_searches"] = figures.searches;
    object["average_latency_ms"] = or_null(figures.mean_ms);
    object["p50"] = or_null(figures.p50_ms);
    object["p95"] = or_null(figures.p95_ms);
    object["p99"] = or_null(figures.p99_ms);
    object["error_rate"] = figures.error_rate();
    object["degraded_searches"] = figures.degraded;
}

void add_quality(json::object& object, const store::SearchFigures& figures) {
    object["average_similarity_score"] = or_null(figures.mean_similarity);
    object["low_quality_searches"] = figures.low_quality;
    object["no_results_count"] = figures.without_results;
}

json::object figures_json(json::object object, const store::SearchFigures& figures) {
    add_figures(object, figures);
    add_quality(object, figures);
    return object;
}

constexpr std::size_t most_questions = 20;

json::array questions_json(const std::vector<store::UnansweredQuestion>& questions) {
    json::array out;
    for (const store::UnansweredQuestion& one : questions)
        out.push_back(json::object{{"question", one.question}, {"searches", one.searches}, {"last", one.last}});
    return out;
}

json::object series_json(Worker& worker, store::MetricsRange range) {
    const store::MetricsSeries series = store::read_metrics_series(worker.db(), range);
    json::array buckets;
    for (const store::MetricsBucket& bucket : series.buckets)
        buckets.push_back(figures_json({{"start", bucket.start}}, bucket.figures));
    json::array similarity;
    const auto count = static_cast<double>(series.best_similarity.size());
    for (std::size_t i = 0; i < series.best_similarity.size(); ++i)
        similarity.push_back(json::object{{"from", static_cast<double>(i) / count},
                                          {"to", static_cast<double>(i + 1) / count},
                                          {"searches", series.best_similarity[i]}});
    const bool keeps_questions = worker.services().events.keeps_questions();
    return {{"bucket_seconds", series.bucket_seconds},
            {"buckets", std::move(buckets)},
            {"best_similarity", std::move(similarity)},
            {"keeps_questions", keeps_questions},
            {"without_results",
             keeps_questions ? questions_json(store::read_unanswered_questions(worker.db(), range, most_questions))
                             : json::array{}}};
}

/// Where it was not counted yet, it is counted now.
std::optional<double> average_age_days(Worker& worker) {
    Services& services = worker.services();
    if (const auto count = services.catalog_count()) return count->statistics.average_age_days;
    return store::read_embedding_statistics(worker.db(), services.model_name()).average_age_days;
}

Reply metrics(Call& call) {
    const std::string name{call.query.at("time_range").as_string()};
    const store::MetricsRange range = store::metrics_range_names.find(name).value_or(store::MetricsRange::day);
    const store::SearchMetrics read = store::read_search_metrics(call.worker->db(), range);
    json::object searches;
    add_figures(searches, read.all);
    json::object quality;
    add_quality(quality, read.all);
    json::array strategies;
    for (const auto& [strategy, figures] : read.strategies)
        strategies.push_back(figures_json({{"strategy", strategy}}, figures));
    json::object body{
        {"time_range", name},
        {"search_metrics", std::move(searches)},
        {"quality_metrics", std::move(quality)},
        {"embedding_metrics", json::object{{"embeddings_generated", read.embeddings.generated},
                                           {"queue_length", read.embeddings.waiting},
                                           {"dead_letters", read.embeddings.dead},
                                           {"average_embedding_age_days", or_null(average_age_days(*call.worker))}}},
        {"strategies", std::move(strategies)},
        {"timestamp", timestamp()}};
    if (call.query.at("series").as_bool()) body["series"] = series_json(*call.worker, range);
    return {.body = std::move(body)};
}

Reply statistics(Call& call) {
    const std::string model = call.worker->services().model_name();
    const store::EmbeddingStatistics read = store::read_embedding_statistics(call.worker->db(), model);
    return {.body = json::object{{"total_products", read.products},
                                 {"products_with_embeddings", read.with_embedding},
                                 {"products_without_embeddings", read.without_embedding()},
                                 {"coverage_percentage", read.coverage_percentage()},
                                 {"embedding_model", model},
                                 {"last_update", or_null(read.last_update)},
                                 {"average_embedding_age_days", or_null(read.average_age_days)},
                                 {"stale_embeddings_count", read.stale}}};
}

struct PgvectorFacts {
    std::optional<store::Pgvector> extension;
    std::optional<std::uint32_t> dimension;
};

/// Nothing while the database is away.
PgvectorFacts read_facts(Worker& worker) {
    try {
        pg::Connection& db = worker.db();
        return {.extension = store::find_pgvector(db), .dimension = store::read_catalog_state(db).dimension};
    } catch (const Error& error) {
        if (!error.is_retryable()) throw;
        worker.drop();
        worker.services().database.report_failure();
        return {};
    }
}

Reply health(Call& call) {
    const PgvectorFacts facts = read_facts(*call.worker);
    const bool is_healthy = facts.extension && facts.dimension;
    return {
        .status = is_healthy ? 200 : 503,
        .body = json::object{{"status", is_healthy ? "healthy" : "unhealthy"},
                             {"pgvector_available", facts.extension.has_value()},
                             {"pgvector_version", facts.extension ? json::value(facts.extension->version) : nullptr},
                             {"embedding_model", call.worker->services().model_name()},
                             {"embedding_dimensions", or_null(facts.dimension)},
                             {"timestamp", timestamp()}}};
}

}  // namespace

std::vector<Route> statistics_routes(Services& services) {
    const auto exposition = [&services](Call&) -> Reply {
        return {
            .headers = {{"Content-Type", std::string{MetricsRegistry::content_type}}, {"Cache-Control", "no-store"}},
            .text = services.metrics.text(services.state())};
    };
    return {{.method = "GET",
             .path = "/api/v1/pgvector/health",
             .id = "pgvectorHealth",
             .group = "statistics",
             .summary = "Whether products can be searched by their vectors",
             .scope = Scope::search,
             .rate = RateClass::monitoring,
             .answer = &health_answer,
             .also_answers = {503},
             .handle = health},
            {.method = "GET",
             .path = "/api/v1/pgvector/statistics",
             .id = "statistics",
             .group = "statistics",
             .summary = "How many products have embeddings, and how old they are",
             .scope = Scope::search,
             .rate = RateClass::monitoring,
             .lane = LaneKind::work,
             .answer = &statistics_answer,
             .handle = statistics},
            {.method = "GET",
             .path = "/api/v1/pgvector/metrics",
             .id = "searchMetrics",
             .group = "statistics",
             .summary = "How fast and how good answers were over a time",
             .scope = Scope::metrics,
             .rate = RateClass::monitoring,
             .lane = LaneKind::work,
             .query = &metrics_query,
             .answer = &metrics_answer,
             .handle = metrics},
            {.method = "GET",
             .path = "/metrics",
             .id = "prometheusMetrics",
             .group = "statistics",
             .summary = "What the server does, in Prometheus's exposition format",
             .scope = Scope::metrics,
             .rate = RateClass::monitoring,
             .lane = LaneKind::immediate,
             .produces = "text/plain",
             .handle = exposition}};
}

}  // namespace decant::api
