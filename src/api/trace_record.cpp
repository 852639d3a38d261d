#include "api/trace_record.hpp"

#include <fmt/format.h>

#include <utility>

#include "api/problem.hpp"
#include "core/json_members.hpp"
#include "search/answer_json.hpp"

namespace decant::api {
namespace {

using trace::RunType;
using trace::Span;
using trace::Time;

std::chrono::microseconds span_of(double milliseconds) {
    return std::chrono::round<std::chrono::microseconds>(std::chrono::duration<double, std::milli>{milliseconds});
}

json::array documents_of(const std::vector<search::Hit>& hits) {
    json::array documents;
    for (const search::Hit& hit : hits) {
        const std::string content =
            hit.description.empty() ? hit.name : fmt::format("{}. {}", hit.name, hit.description);
        documents.push_back(json::object{{"page_content", content},
                                         {"metadata",
                                          {{"product_id", hit.id},
                                           {"sku", hit.sku},
                                           {"brand", hit.brand},
                                           {"category", hit.category},
                                           {"price", hit.price},
                                           {"stock", hit.stock},
                                           {"similarity", or_null(hit.similarity)},
                                           {"score", hit.score}}},
                                         {"type", "Document"}});
    }
    return documents;
}

json::object figures_of(const search::Answer& answer) {
    return {{"strategy", search::strategy_names[answer.strategy]},
            {"strategy_used", answer.used},
            {"degraded", answer.degraded},
            {"threshold", or_null(answer.threshold)},
            {"results", answer.hits.size()}};
}

/// Where in a request its search was.
struct SearchSpan {
    Time start;
    Time end;
    std::string_view question;
};

/// The model's part comes behind what was understood; the time of all legs is that of the retriever.
void add_search(std::vector<Span>& spans, const SearchSpan& span, const search::Answer& answer,
                const TracedModels& models) {
    const std::string& left = answer.understood.text;
    const std::string asked = left.empty() ? std::string{span.question} : left;
    Time at = span.start + span_of(answer.times.understand_ms);
    if (answer.times.embed_ms) {
        const Time end = at + span_of(*answer.times.embed_ms);
        spans.push_back(
            {.name = "embedding",
             .type = RunType::embedding,
             .start = at,
             .end = end,
             .inputs = {{"input", asked}},
             .metadata = {{"ls_provider", models.embedding_provider}, {"ls_model_name", models.embedding}}});
        at = end;
    }
    json::object metadata = figures_of(answer);
    metadata["legs"] = search::legs_json(answer);
    spans.push_back({.name = "retriever",
                     .type = RunType::retriever,
                     .start = at,
                     .end = std::min(at + span_of(answer.times.search_ms), span.end),
                     .inputs = {{"query", asked}},
                     .outputs = {{"documents", documents_of(answer.hits)}},
                     .metadata = std::move(metadata)});
}

/// By which runs of one arm are found in LangSmith.
std::vector<std::string> tags_of(const store::Exposure& exposure) {
    if (exposure.experiment.empty()) return {};
    return {"experiment:" + exposure.experiment, "arm:" + exposure.arm};
}

/// Feedback on an answer is none on its shadow.
trace::Trace begun(const SearchRecord& record, std::string_view name) {
    const bool is_shadow = record.kind == store::SearchEvent::Kind::shadow;
    const Time end = trace::now();
    return {.root = {.name = std::string{name},
                     .start = end - span_of(record.milliseconds),
                     .end = end,
                     .inputs = {{"query", record.question}},
                     .metadata = {{"request_id", record.run_id}}},
            .tags = tags_of(record.exposure),
            .request_id = std::string{is_shadow ? "" : record.run_id},
            .caller = record.caller};
}

std::string_view name_of(store::SearchEvent::Kind kind) {
    if (kind == store::SearchEvent::Kind::shadow) return "shadow_search";
    return kind == store::SearchEvent::Kind::similar ? "similar_products" : "product_search";
}

json::array messages_of(const std::vector<chat::LlmMessage>& messages) {
    json::array out;
    for (const chat::LlmMessage& message : messages)
        out.push_back(json::object{{"role", message.role}, {"content", message.content}});
    return out;
}

Span span_of(LlmCall call, const TracedModels& models) {
    json::object metadata{{"ls_provider", models.llm_provider},
                          {"ls_model_name", models.llm},
                          {"ls_model_type", "chat"},
                          {"ls_temperature", call.request.temperature},
                          {"ls_max_tokens", call.request.most_tokens}};
    const chat::LlmReply& reply = call.reply;
    if (reply.prompt_tokens + reply.answer_tokens > 0)
        metadata["usage_metadata"] = {{"input_tokens", reply.prompt_tokens},
                                      {"output_tokens", reply.answer_tokens},
                                      {"total_tokens", reply.prompt_tokens + reply.answer_tokens}};
    return {.name = call.is_intent ? "intent" : "answer",
            .type = RunType::llm,
            .start = call.start,
            .end = call.end,
            .inputs = {{"messages", messages_of(call.request.messages)}},
            .outputs = {{"messages", messages_of({{"assistant", reply.text}})}},
            .metadata = std::move(metadata),
            .error = std::move(call.error),
            .first_token = call.first_token};
}

/// What both kinds of endings know of a chat.
trace::Trace begun_chat(const SearchRecord& record, ChatRecord& chat, const TracedModels& models) {
    trace::Trace trace = begun(record, "product_agent");
    trace.root.start = chat.times.start;
    trace.root.inputs = {{"messages", messages_of({{"user", chat.request.message}})}};
    if (!chat.message_id.empty()) trace.root.metadata["message_id"] = chat.message_id;
    for (LlmCall& call : chat.calls)
        trace.children.push_back(span_of(std::move(call), models));
    return trace;
}

}  // namespace

std::string error_text(const Error& error) {
    return fmt::format("{}: {}", traits_of(error.code()).name, public_detail(error));
}

trace::Trace trace_of(const SearchRecord& record, const search::Answer& answer, const TracedModels& models) {
    trace::Trace trace = begun(record, name_of(record.kind));
    trace.root.outputs = {{"results", answer.hits.size()}};
    trace.root.metadata = figures_of(answer);
    trace.root.metadata["request_id"] = record.run_id;
    add_search(trace.children, {trace.root.start, trace.root.end, record.question}, answer, models);
    return trace;
}

trace::Trace trace_of(const SearchRecord& record, const std::vector<search::Hit>& hits) {
    trace::Trace trace = begun(record, name_of(record.kind));
    trace.root.outputs = {{"results", hits.size()}};
    trace.children.push_back({.name = "retriever",
                              .type = RunType::retriever,
                              .start = trace.root.start,
                              .end = trace.root.end,
                              .inputs = trace.root.inputs,
                              .outputs = {{"documents", documents_of(hits)}}});
    return trace;
}

trace::Trace trace_of(const SearchRecord& record, const Error& error) {
    trace::Trace trace = begun(record, name_of(record.kind));
    trace.root.error = error_text(error);
    return trace;
}

trace::Trace trace_of(const SearchRecord& record, ChatRecord chat, const chat::ChatAnswer& answer,
                      const TracedModels& models) {
    trace::Trace trace = begun_chat(record, chat, models);
    trace.root.outputs = {{"messages", messages_of({{"assistant", answer.text}})},
                          {"products", answer.products.size()}};
    json::object& metadata = trace.root.metadata;
    metadata["conversation_id"] = answer.conversation_id;
    metadata["intent"] = chat::intent_names[answer.intent.kind];
    metadata["strategy_used"] = answer.strategy_used;
    metadata["degraded"] = answer.degraded;
    metadata["is_of_llm"] = answer.is_of_llm;
    metadata["requires_human"] = answer.requires_human;
    if (!answer.llm_fault.empty()) metadata["llm_fault"] = answer.llm_fault;
    const Time known = chat.times.processing.value_or(trace.root.end);
    const Time found = chat.times.generating.value_or(trace.root.end);
    const bool is_asked = !trace.children.empty() && trace.children.front().name == "intent";
    if (!is_asked)
        trace.children.insert(trace.children.begin(), {.name = "intent",
                                                       .type = RunType::parser,
                                                       .start = known - span_of(answer.intent_ms),
                                                       .end = known,
                                                       .inputs = {{"message", chat.request.message}},
                                                       .outputs = chat::json_of(answer.intent)});
    if (!answer.searched) return trace;
    std::vector<Span> search;
    add_search(search, {known, found, chat.request.message}, *answer.searched, models);
    trace.children.insert(trace.children.begin() + 1, std::make_move_iterator(search.begin()),
                          std::make_move_iterator(search.end()));
    return trace;
}

trace::Trace trace_of(const SearchRecord& record, ChatRecord chat, const Error& error, const TracedModels& models) {
    trace::Trace trace = begun_chat(record, chat, models);
    trace.root.error = error_text(error);
    return trace;
}

}  // namespace decant::api
