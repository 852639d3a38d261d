#include <fmt/format.h>

#include <boost/json/parse.hpp>
#include <charconv>
#include <random>
#include <thread>

#include "api/event_stream.hpp"
#include "api/problem.hpp"
#include "api/products_json.hpp"
#include "api/routes.hpp"
#include "api/search_record.hpp"
#include "api/trace_record.hpp"
#include "api/worker.hpp"
#include "catalog/uuid.hpp"
#include "chat/agent.hpp"
#include "chat/session_store.hpp"
#include "core/elapsed.hpp"
#include "core/error.hpp"
#include "core/json_members.hpp"
#include "core/log.hpp"
#include "pg/cancel_on_stop.hpp"

namespace decant::api {
namespace {

using namespace std::chrono_literals;

constexpr double longest_user_id = 100;
constexpr double longest_session_id = longest_user_id + 5;  // chat_ and the user_id

const Shape message_body{
    .name = "ChatRequest",
    .fields = {{.name = "message",
                .about = "In Spanish or English",
                .required = true,
                .least = 1,
                .most = 5000,
                .not_blank = true},
               {.name = "user_id", .required = true, .least = 1, .most = longest_user_id},
               {.name = "session_id",
                .about = "Default: chat_ and the user_id",
                .least = 1,
                .most = longest_session_id,
                .nullable = true},
               {.name = "metadata", .type = FieldType::any_object, .about = "Handed back", .nullable = true}}};

const Shape message_answer{
    .name = "ChatAnswer",
    .fields = {{.name = "response", .required = true},
               {.name = "agent_used", .required = true},
               {.name = "session_id", .required = true},
               {.name = "status", .required = true, .choices = {"success", "error"}},
               {.name = "metadata",
                .type = FieldType::any_object,
                .about = "requires_human, is_complete, processing_time_ms, conversation_id, products, strategy_used, "
                         "degraded, intent, experiment, and the caller's",
                .required = true}}};

/// Each of the server-sent events: before OpenAPI 3.2 the schema of a stream is taken for that of its events.
const Shape event_shape{
    .name = "ChatEvent",
    .fields = {{.name = "id", .about = "For Last-Event-ID"},
               {.name = "event", .about = "shutdown: the server is about to end", .choices = {"message", "shutdown"}},
               {.name = "retry", .type = FieldType::integer, .about = "Milliseconds until to come back"},
               {.name = "data",
                .about = "JSON: event_type, message, agent_current, progress, metadata, timestamp",
                .required = true}}};

const Shape history_query{
    .name = "HistoryQuery",
    .fields = {
        {.name = "user_id", .required = true, .least = 1, .most = longest_user_id},
        {.name = "session_id", .about = "Default: chat_ and the user_id", .least = 1, .most = longest_session_id},
        {.name = "limit", .type = FieldType::integer, .least = 1, .most = 100, .fallback = 50}}};

const Shape history_message{.name = "ChatMessage",
                            .fields = {{.name = "type", .required = true, .choices = {"human", "ai"}},
                                       {.name = "content", .required = true},
                                       {.name = "timestamp", .type = FieldType::time, .required = true}}};

const Shape history_answer{
    .name = "ChatHistory",
    .fields = {{.name = "user_id", .required = true},
               {.name = "session_id", .required = true},
               {.name = "messages", .type = FieldType::objects, .required = true, .shape = &history_message},
               {.name = "total_messages", .type = FieldType::integer, .required = true},
               {.name = "metadata", .type = FieldType::any_object, .required = true}}};

const Shape health_answer{.name = "ChatHealth",
                          .fields = {{.name = "status", .required = true, .choices = {"healthy", "degraded"}},
                                     {.name = "llm",
                                      .about = "The model that words answers; null: templates do",
                                      .required = true,
                                      .nullable = true},
                                     {.name = "database", .required = true, .choices = {"up", "down"}},
                                     {.name = "embedder", .required = true, .choices = {"up", "down"}},
                                     {.name = "timestamp", .type = FieldType::time, .required = true}}};

const Shape session_path{.name = "SessionPath",
                         .fields = {{.name = "session_id", .required = true, .least = 1, .most = longest_session_id}}};
const Shape session_query{.name = "SessionQuery", .fields = {{.name = "user_id", .least = 1, .most = longest_user_id}}};

const Shape removed_answer{.name = "SessionRemoved",
                           .fields = {{.name = "status", .required = true},
                                      {.name = "message", .required = true},
                                      {.name = "session_id", .required = true}}};

chat::ChatRequest request_of(const Call& call) {
    chat::ChatRequest request{.message = text_member(call.body, "message").value_or(""),
                              .user_id = text_member(call.body, "user_id").value_or(""),
                              .session_id = text_member(call.body, "session_id").value_or(""),
                              .subject = call.caller.subject};
    if (const json::value* metadata = given_member(call.body, "metadata")) request.metadata = metadata->as_object();
    return request;
}

/// The search's, of whichever server answers it. Ends with its caller.
search::Answer answer_to(const Call& call, const search::Request& request) {
    return call.worker->read(call.caller.rate_key, [&](const Reading& from) {
        std::optional<pg::CancelOnStop> cancel;
        if (from.is_replica) cancel.emplace(from.db, call.exchange.left());
        search::Answer answer = from.engine.search(request);
        from.require_whole(answer);
        return answer;
    });
}

struct Answered {
    chat::ChatAnswer answer;
    store::Exposure exposure;  ///< none where nothing was searched for
};

/// None also where this server cannot ask the arm at all: then the message is answered without the experiment.
std::optional<Trial> trial_of(Call& call, const chat::ChatRequest& request) {
    std::optional<Trial> trial = call.worker->services().experiments.trial_of_chat(
        {.user = request.user_id, .session = chat::session_id_of(request), .caller = call.caller.rate_key});
    if (!trial || call.worker->engine().can_ask(trial->strategy())) return trial;
    log::warning("experiment {} is left out: strategy {} is off here", trial->experiment->name, trial->exposure.arm);
    return std::nullopt;
}

SearchRecord record_of(const Call& call, const chat::ChatRequest& request) {
    return {.kind = store::SearchEvent::Kind::chat,
            .run_id = call.request_id,
            .question = request.message,
            .caller = caller_of(call.request())};
}

void record_failure(Services& services, const SearchRecord& record, ChatRecord told, const Error& error,
                    const TracedModels& models) {
    record_failure(services, record, error);
    if (is_failure(error)) services.tracer.record(trace_of(record, std::move(told), error, models));
}

/// `message_id` is that of a streamed answer.
Answered answer_of(Call& call, const chat::ChatRequest& request, const chat::Progress& on_step,
                   const std::string& message_id = {}) {
    Worker& worker = *call.worker;
    Services& services = worker.services();
    SearchRecord record = record_of(call, request);
    ChatTimes times;
    std::optional<WatchedLlm> llm;
    TracedModels models = traced_models(services);
    const auto told = [&] {
        return ChatRecord{.request = request,
                          .times = times,
                          .calls = llm ? llm->take_calls() : std::vector<LlmCall>{},
                          .message_id = message_id};
    };
    const auto start = std::chrono::steady_clock::now();
    try {
        const std::optional<Trial> trial = trial_of(call, request);
        if (trial) record.exposure = trial->exposure;
        record.exposure.message_id = message_id;
        if (chat::LlmClient* configured = worker.llm()) models.llm = llm.emplace(*configured).model();
        chat::Agent agent{worker.db(),
                          worker.engine(),
                          llm ? &*llm : nullptr,
                          {.strategy = trial ? std::optional{trial->strategy()} : std::nullopt,
                           .ask = [&](const search::Request& asked) { return answer_to(call, asked); },
                           .keeper = &services.turns}};
        const auto noted = [&](const chat::Step& step) {
            times.note(step.kind);
            if (on_step) on_step(step);
        };
        chat::ChatAnswer answer = agent.answer(request, noted, call.exchange.left());
        record.milliseconds = answer.processing_ms;
        record.intent_ms = answer.intent_ms;
        record.answer_ms = answer.wording_ms;
        if (answer.searched) record_search(services, record, *answer.searched);
        services.tracer.record(trace_of(record, told(), answer, models));
        if (!answer.searched) return {std::move(answer), {}};
        return {std::move(answer), std::move(record.exposure)};
    } catch (const Error& error) {
        record.milliseconds = milliseconds_since(start);
        record_failure(services, record, told(), error, models);
        throw;
    } catch (const std::exception& error) {
        record.milliseconds = milliseconds_since(start);
        record_failure(services, record, told(), {ErrorCode::internal, error.what(), ""}, models);
        throw;
    }
}

/// The caller's members stay, but for those that are the answer's.
json::object metadata_of(const Call& call, const Answered& answered, json::object callers) {
    const auto& [answer, exposure] = answered;
    callers["run_id"] = call.request_id;  // what feedback calls it by
    callers["requires_human"] = answer.requires_human;
    callers["is_complete"] = answer.is_complete;
    callers["processing_time_ms"] = answer.processing_ms;
    callers["conversation_id"] = answer.conversation_id;
    callers["products"] = products_json(answer.products);
    callers["strategy_used"] = answer.strategy_used;
    callers["degraded"] = answer.degraded;
    callers["intent"] = chat::json_of(answer.intent);
    if (!exposure.experiment.empty())
        callers["experiment"] = json::object{{"name", exposure.experiment}, {"arm", exposure.arm}};
    return callers;
}

Reply post_message(Call& call) {
    const chat::ChatRequest request = request_of(call);
    const Answered answered = answer_of(call, request, {});
    const chat::ChatAnswer& answer = answered.answer;
    return {.body = json::object{{"response", answer.text},
                                 {"agent_used", answer.agent},
                                 {"session_id", answer.session_id},
                                 {"status", answer.status},
                                 {"metadata", metadata_of(call, answered, request.metadata)}}};
}

/// Of Last-Event-ID: "MESSAGE:SEQ".
constexpr std::string_view event_id_pattern =
    "^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}:[0-9]{1,18}$";

struct EventId {
    std::string message;
    std::int64_t seq = 0;
};

std::optional<EventId> parse_event_id(std::string_view text) {
    const std::size_t colon = std::min(text.find(':'), text.size());
    EventId id{.message = std::string{text.substr(0, colon)}};
    if (!catalog::parse_uuid(id.message) || colon == text.size()) return std::nullopt;
    const std::string_view seq = text.substr(colon + 1);
    const bool is_number = !seq.empty() && seq.size() <= 18 && seq.find_first_not_of("0123456789") == seq.npos;
    if (!is_number) return std::nullopt;
    std::from_chars(seq.data(), seq.data() + seq.size(), id.seq);
    return id;
}

json::object event_json(std::string_view type, std::string_view message, double progress) {
    return {{"event_type", type},   {"message", message},         {"agent_current", "product_agent"},
            {"progress", progress}, {"metadata", json::object{}}, {"timestamp", timestamp()}};
}

std::string random_uuid() {
    std::random_device random;
    catalog::Uuid id{};
    for (unsigned char& byte : id)
        byte = static_cast<unsigned char>(random());
    id[6] = static_cast<unsigned char>((id[6] & 0x0fU) | 0x40U);  // version 4 (RFC 9562)
    id[8] = static_cast<unsigned char>((id[8] & 0x3fU) | 0x80U);
    return catalog::text_of(id);
}

/// An answer as events, each of them stored for who comes back for it.
class StreamedAnswer {
public:
    StreamedAnswer(Call& call, EventStream& stream)
        : call_(call),
          stream_(stream),
          request_(request_of(call)),
          session_{chat::session_id_of(request_), request_.user_id, request_.subject},
          message_id_(random_uuid()) {}

    void run() {
        try {
            const auto on_step = [this](const chat::Step& step) {
                if (step.kind == chat::StepKind::complete) return;  // told with what the answer has besides
                json::object event = event_json(chat::step_names[step.kind], step.message, step.progress);
                if (step.is_piece) event["metadata"] = json::object{{"is_piece", true}, {"is_anew", step.is_anew}};
                send(event);
            };
            const Answered answered = answer_of(call_, request_, on_step, message_id_);
            const chat::ChatAnswer& answer = answered.answer;
            json::object event = event_json("complete", answer.text, 1);
            event["metadata"] = metadata_of(call_, answered, request_.metadata);
            event["metadata"].as_object()["total_steps"] = seq_ + 1;
            event["metadata"].as_object()["session_id"] = answer.session_id;
            send(event);
        } catch (const Error& error) {
            if (error.code() == ErrorCode::cancelled) return;
            if (error.code() == ErrorCode::store_unavailable) {
                store_.reset();
                call_.worker->lost();
            }
            tell(error);
        } catch (const std::exception& error) {
            log::error("a streamed answer: {}", error.what());
            tell({ErrorCode::internal, error.what(), ""});
        }
    }

private:
    void send(const json::object& event) {
        if (!pass(event))
            throw Error{ErrorCode::cancelled, "The client has left", "It may come back for what it missed."};
    }

    /// The last event.
    void tell(const Error& error) {
        json::object event = event_json("error", public_detail(error), 1);
        event["metadata"] = json::object{{"error", traits_of(error.code()).name}, {"request_id", call_.request_id}};
        pass(event);
    }

    /// False when nobody reads any more.
    bool pass(const json::object& event) {
        const std::string data = json_text(event);
        const std::string id = fmt::format("{}:{}", message_id_, ++seq_);
        const bool is_read = stream_.send(id, data);
        keep(data);
        return is_read;
    }

    /// Without a database there is nothing to come back for, and no reason to say less to who is here.
    void keep(const std::string& data) {
        try {
            if (!store_) store_.emplace(call_.worker->db());
            store_->append_event(session_, message_id_, {.seq = seq_, .payload = data});
        } catch (const Error& error) {
            log::warning("an event of a streamed answer was not kept: {}", error.happened());
        }
    }

    Call& call_;
    EventStream& stream_;
    chat::ChatRequest request_;
    chat::SessionKey session_;
    std::string message_id_;
    std::int64_t seq_ = 0;
    std::optional<chat::SessionStore> store_;
};

bool is_last(const std::string& payload) {
    const json::value event = json::parse(payload);
    const std::string_view type{event.at("event_type").as_string()};
    return type == "complete" || type == "error";
}

/// What a client missed that was cut off. The work of an answer ends with its client, so of one that was not complete
/// by then there will be no more.
void resume(Call& call, EventStream& stream, const EventId& last) {
    chat::SessionStore store{call.worker->db()};
    const chat::ChatRequest request = request_of(call);
    const chat::SessionKey session{chat::session_id_of(request), request.user_id, request.subject};
    std::int64_t seq = last.seq;
    const auto until = std::chrono::steady_clock::now() + 2s;
    do {
        for (const chat::StoredEvent& event : store.events_after(session, last.message, seq)) {
            seq = event.seq;
            if (!stream.send(fmt::format("{}:{}", last.message, seq), event.payload) || is_last(event.payload)) return;
        }
        std::this_thread::sleep_for(100ms);
    } while (std::chrono::steady_clock::now() < until && !call.exchange.left().stop_requested());
    json::object event = event_json("error", "The answer was cut off with its connection. Send the message again.", 1);
    event["metadata"] = json::object{{"error", "cancelled"}, {"request_id", call.request_id}};
    stream.send(fmt::format("{}:{}", last.message, seq + 1), json_text(event));
}

/// What fails here may still be told by a status.
void require_database(Call& call, bool is_question) {
    try {
        call.worker->db();
    } catch (const Error& error) {
        Services& services = call.worker->services();
        const chat::ChatRequest request = request_of(call);
        const ChatTimes times;
        if (is_question)
            record_failure(services, record_of(call, request), {.request = request, .times = times, .calls = {}}, error,
                           traced_models(services));
        throw;
    }
}

Reply stream_message(Call& call) {
    const auto last = sent_header(call.request(), "last-event-id");
    const std::optional<EventId> id = last ? parse_event_id(*last) : std::nullopt;
    if (last && !id) {
        throw Error{ErrorCode::request_malformed, "The header Last-Event-ID is no id of an event",
                    "Send the one that came last, or none."};
    }
    require_database(call, !id);
    EventStream stream{call.exchange, call.streamed_head(), call.worker->services().draining.get_token()};
    if (id)
        resume(call, stream, *id);
    else
        StreamedAnswer{call, stream}.run();
    return {.is_streamed = true};
}

Reply show_history(Call& call) {
    const chat::ChatRequest request{.user_id = text_member(call.query, "user_id").value_or(""),
                                    .session_id = text_member(call.query, "session_id").value_or("")};
    const std::string session = chat::session_id_of(request);
    const auto limit = static_cast<std::uint64_t>(call.query.at("limit").as_int64());
    const chat::History history =
        chat::SessionStore{call.worker->db()}.history({session, request.user_id, call.caller.subject}, limit);
    json::array messages;
    for (const chat::Message& message : history.messages)
        messages.push_back(
            json::object{{"type", message.type}, {"content", message.content}, {"timestamp", message.timestamp}});
    return {.body = json::object{{"user_id", request.user_id},
                                 {"session_id", session},
                                 {"messages", std::move(messages)},
                                 {"total_messages", history.total},
                                 {"metadata", json::object{}}}};
}

Reply remove_session(Call& call) {
    const std::string& session = call.path.front();
    chat::SessionStore store{call.worker->db()};
    if (!store.remove({session, text_member(call.query, "user_id").value_or(""), call.caller.subject}))
        throw Error{ErrorCode::not_found, "There is no such session", "It may have been removed before."};
    return {.body = json::object{{"status", "success"},
                                 {"message", "The session and all that was said in it are removed."},
                                 {"session_id", session}}};
}

Reply show_health(Call& call) {
    Services& services = call.worker->services();
    const bool has_database = services.database.is_up();
    const bool has_embedder = services.embedders.current()->is_up();
    chat::LlmClient* llm = call.worker->llm();
    return {.body = json::object{{"status", has_database && has_embedder ? "healthy" : "degraded"},
                                 {"llm", llm == nullptr ? json::value(nullptr) : json::value(llm->model())},
                                 {"database", has_database ? "up" : "down"},
                                 {"embedder", has_embedder ? "up" : "down"},
                                 {"timestamp", timestamp()}}};
}

Route chat_route(std::string_view method, std::string_view path, std::string_view id, std::string_view summary) {
    return {.method = method,
            .path = path,
            .id = id,
            .group = "chat",
            .summary = summary,
            .scope = Scope::chat,
            .rate = RateClass::chat,
            .lane = LaneKind::chat};
}

}  // namespace

std::vector<Route> chat_routes() {
    const json::value example = json::object{{"user_id", "test_user"}, {"message", "quiero una laptop gamer"}};
    Route message = chat_route("POST", "/api/v1/chat/message", "chat", "Answers a message about products");
    message.body = &message_body;
    message.answer = &message_answer;
    message.refusals = {403, 409};
    message.example = example;
    message.handle = post_message;
    Route stream = chat_route("POST", "/api/v1/chat/message/stream", "chatStream",
                              "The same as server-sent events; with Last-Event-ID what was missed of an answer");
    stream.body = &message_body;
    stream.answer = &event_shape;
    stream.produces = "text/event-stream";
    stream.refusals = {403};
    stream.request_headers = {{"Last-Event-ID", event_id_pattern, "6f1f24bd-5f0e-4f3c-a5ab-1d8a7c2f9e10:4"}};
    stream.example = example;
    stream.handle = stream_message;
    Route history = chat_route("GET", "/api/v1/chat/history", "chatHistory", "What was said in a session");
    history.query = &history_query;
    history.answer = &history_answer;
    history.rate = RateClass::monitoring;
    history.lane = LaneKind::work;
    history.handle = show_history;
    Route health = chat_route("GET", "/api/v1/chat/health", "chatHealth", "Whether the chat can answer, and by what");
    health.answer = &health_answer;
    health.rate = RateClass::monitoring;
    health.lane = LaneKind::work;
    health.handle = show_health;
    Route removal = chat_route("DELETE", "/api/v1/chat/session/{session_id}", "removeChatSession",
                               "Removes a session with all that was said in it");
    removal.path_shape = &session_path;
    removal.query = &session_query;
    removal.answer = &removed_answer;
    removal.lane = LaneKind::work;
    removal.refusals = {403, 404};
    removal.handle = remove_session;
    return {message, stream, history, health, removal};
}

}  // namespace decant::api
