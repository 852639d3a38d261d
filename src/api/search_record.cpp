#include "api/search_record.hpp"

#include <algorithm>

#include "api/trace_record.hpp"
#include "pg/sql_state.hpp"

namespace decant::api {
namespace {

store::SearchEvent event_of(const SearchRecord& record) {
    return {.kind = record.kind,
            .run_id = std::string{record.run_id},
            .milliseconds = record.milliseconds,
            .answer_ms = record.answer_ms,
            .question = std::string{record.question},
            .exposure = record.exposure};
}

void add_hits(store::SearchEvent& event, const std::vector<search::Hit>& hits) {
    event.results = hits.size();
    double sum = 0;
    std::size_t compared = 0;
    for (const search::Hit& hit : hits) {
        if (!hit.similarity) continue;
        event.best_similarity = std::max(event.best_similarity.value_or(-1), *hit.similarity);
        sum += *hit.similarity;
        ++compared;
    }
    if (compared > 0) event.mean_similarity = sum / static_cast<double>(compared);
}

void observe(MetricsRegistry& metrics, Stage stage, std::optional<double> milliseconds) {
    if (milliseconds) metrics.observe_stage(stage, *milliseconds / 1000);
}

void observe_stages(MetricsRegistry& metrics, const store::SearchEvent& event) {
    observe(metrics, Stage::understand, event.understand_ms);
    observe(metrics, Stage::embed, event.embed_ms);
    observe(metrics, Stage::search, event.search_ms);
    observe(metrics, Stage::answer, event.answer_ms);
}

bool is_chat(const SearchRecord& record) {
    return record.kind == store::SearchEvent::Kind::chat;
}

}  // namespace

trace::Caller caller_of(const net::ServerRequest& request) {
    const auto header = [&](std::string_view name) { return net::header(request.headers, name); };
    return trace::read_caller({.langsmith_trace = header("langsmith-trace"),
                               .baggage = header("baggage"),
                               .traceparent = header("traceparent")});
}

TracedModels traced_models(const Services& services) {
    const std::shared_ptr<QueryEmbedder> embedder = services.embedders.current();
    return {.embedding = services.model_name(),
            .embedding_provider = embedder->is_open() ? embedder->model().provider : "",
            .llm_provider = services.llm_provider};
}

void record_search(Services& services, const SearchRecord& record, const search::Answer& answer) {
    store::SearchEvent event = event_of(record);
    event.strategy = search::strategy_names[answer.strategy];
    event.used = answer.used;
    event.understand_ms = record.intent_ms + answer.times.understand_ms;
    event.embed_ms = answer.times.embed_ms;
    event.search_ms = answer.times.search_ms;
    event.threshold = answer.threshold;
    event.degraded = answer.degraded;
    add_hits(event, answer.hits);
    // Behind the last page there is nothing, which is no search without a result.
    if (answer.hits.empty()) event.results = answer.found;
    if (record.kind != store::SearchEvent::Kind::shadow) observe_stages(services.metrics, event);
    services.events.record(std::move(event));
    if (!is_chat(record)) services.tracer.record(trace_of(record, answer, traced_models(services)));
}

void record_similar(Services& services, const SearchRecord& record, const std::vector<search::Hit>& hits) {
    store::SearchEvent event = event_of(record);
    event.strategy = event.used = search::strategy_names[search::Strategy::pgvector];
    event.search_ms = record.milliseconds;
    add_hits(event, hits);
    observe(services.metrics, Stage::search, event.search_ms);
    services.events.record(std::move(event));
    services.tracer.record(trace_of(record, hits));
}

bool is_failure(const Error& error) {
    // Of a search, what the database does not take or does not have is no fault of who asked, nor that the vectors are
    // of another model.
    return traits_of(error.code()).http_status >= 500 || pg::is_statement_error(error) ||
           error.code() == ErrorCode::dimension_mismatch;
}

void record_failure(Services& services, const SearchRecord& record, const Error& error) {
    if (!is_failure(error)) return;
    store::SearchEvent event = event_of(record);
    event.error = traits_of(error.code()).name;
    services.events.record(std::move(event));
    if (!is_chat(record)) services.tracer.record(trace_of(record, error));
}

}  // namespace decant::api
