#include "tests/support/llm_server.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <map>

namespace decant::test {
namespace {

namespace json = boost::json;

/// Tells what is wrong with a value; empty: nothing.
using Check = std::function<std::string(const json::value&)>;
using Members = std::map<std::string, Check>;

Check holds(const std::string& what, bool (*is_right)(const json::value&)) {
    return [=](const json::value& value) {
        return is_right(value) ? std::string{} : fmt::format("{} is no {}", json::serialize(value), what);
    };
}

const Check text = holds("text", [](const json::value& value) { return value.is_string(); });
const Check word =
    holds("word", [](const json::value& value) { return value.is_string() && !value.get_string().empty(); });
const Check yes = holds("true", [](const json::value& value) { return value.is_bool() && value.get_bool(); });
const Check no = holds("false", [](const json::value& value) { return value.is_bool() && !value.get_bool(); });
const Check count = holds("count", [](const json::value& value) {
    return (value.is_int64() && value.get_int64() > 0) || (value.is_uint64() && value.get_uint64() > 0);
});
const Check temperature = holds("temperature", [](const json::value& value) {
    return value.is_number() && value.to_number<double>() >= 0 && value.to_number<double>() <= 2;
});
const Check schema =
    holds("schema", [](const json::value& value) { return value.is_object() && value.get_object().contains("type"); });
const Check role = holds("role", [](const json::value& value) {
    constexpr std::array<std::string_view, 3> roles{"system", "user", "assistant"};
    return value.is_string() && std::ranges::find(roles, std::string_view{value.get_string()}) != roles.end();
});

/// An object of these members, of which the `required` are there.
Check members(Members known, std::vector<std::string> required) {
    return [known = std::move(known), required = std::move(required)](const json::value& value) -> std::string {
        const json::object* object = value.if_object();
        if (object == nullptr) return json::serialize(value) + " is no object";
        for (const auto& [name, member] : *object) {
            const auto found = known.find(std::string{name});
            if (found == known.end()) return fmt::format("unknown member {}", std::string{name});
            if (auto wrong = found->second(member); !wrong.empty()) return fmt::format("{}: {}", found->first, wrong);
        }
        for (const std::string& name : required) {
            if (!object->contains(name)) return "no member " + name;
        }
        return {};
    };
}

const Check message = members({{"role", role}, {"content", text}}, {"role", "content"});

const Check messages = [](const json::value& value) -> std::string {
    const json::array* list = value.if_array();
    if (list == nullptr || list->empty()) return "no messages";
    for (const json::value& one : *list) {
        if (auto wrong = message(one); !wrong.empty()) return wrong;
    }
    return list->back().at("role") == "user" ? "" : "the last message is not the user's";
};

const Check ollama_request = members(
    {{"model", word},
     {"messages", messages},
     {"stream", yes},
     {"think", no},
     {"keep_alive", word},
     {"format", schema},
     {"options", members({{"temperature", temperature}, {"num_predict", count}}, {"temperature", "num_predict"})}},
    {"model", "messages", "stream", "options"});

const Check response_format =
    members({{"type", [](const json::value& value) { return value == "json_schema" ? std::string{} : "another type"; }},
             {"json_schema", members({{"name", word}, {"schema", schema}}, {"name", "schema"})}},
            {"type", "json_schema"});

const Check openai_request = members({{"model", word},
                                      {"messages", messages},
                                      {"stream", yes},
                                      {"stream_options", members({{"include_usage", yes}}, {"include_usage"})},
                                      {"max_tokens", count},
                                      {"max_completion_tokens", count},
                                      {"temperature", temperature},
                                      {"response_format", response_format}},
                                     {"model", "messages", "stream"});

StandInAnswer refused(int status, const json::object& body) {
    return {
        .status = status, .body = json::serialize(body), .headers = {"Content-Type: application/json; charset=utf-8"}};
}

StandInAnswer openai_refused(int status, const std::string& words) {
    const json::object error{{"message", words}, {"type", "api_error"}, {"param", nullptr}, {"code", nullptr}};
    return refused(status, {{"error", error}});
}

json::object openai_chunk(const std::vector<json::object>& choices) {
    json::array list;
    for (const json::object& choice : choices)
        list.emplace_back(choice);
    return {{"id", "chatcmpl-1"}, {"object", "chat.completion.chunk"}, {"created", 1764347800}, {"choices", list}};
}

std::string event_of(const json::object& data) {
    return fmt::format("data: {}\n\n", json::serialize(data));
}

}  // namespace

LlmServer::Answer always(std::vector<std::string> pieces) {
    return [pieces = std::move(pieces)](const json::object&) { return pieces; };
}

std::string ollama_line(const std::string& piece) {
    return json::serialize(json::object{{"model", "qwen3:4b"},
                                        {"created_at", "2026-11-28T16:00:00.123456789Z"},
                                        {"message", {{"role", "assistant"}, {"content", piece}}},
                                        {"done", false}}) +
           "\n";
}

std::string ollama_end() {
    return json::serialize(json::object{{"model", "qwen3:4b"},
                                        {"created_at", "2026-11-28T16:00:00.123456789Z"},
                                        {"message", {{"role", "assistant"}, {"content", ""}}},
                                        {"done", true},
                                        {"done_reason", "stop"},
                                        {"total_duration", 1266535040},
                                        {"load_duration", 94068857},
                                        {"prompt_eval_count", 26},
                                        {"prompt_eval_duration", 342546000},
                                        {"eval_count", 7},
                                        {"eval_duration", 535599000}}) +
           "\n";
}

std::string openai_event(const std::string& piece) {
    const json::object choice{
        {"index", 0}, {"delta", {{"role", "assistant"}, {"content", piece}}}, {"finish_reason", nullptr}};
    return event_of(openai_chunk({choice}));
}

LlmServer::LlmServer(Answer answer, std::string model)
    : answer_(std::move(answer)),
      model_(std::move(model)),
      http_([this](const StandInRequest& request) { return this->answer(request); }) {}

void LlmServer::set_fault(Fault fault) {
    const std::lock_guard lock{mutex_};
    fault_ = std::move(fault);
}

void LlmServer::require_key(const std::string& key) {
    const std::lock_guard lock{mutex_};
    key_ = key;
}

void LlmServer::require_completion_tokens() {
    const std::lock_guard lock{mutex_};
    wants_completion_tokens_ = true;
}

std::vector<std::string> LlmServer::violations() const {
    const std::lock_guard lock{mutex_};
    return violations_;
}

StandInAnswer LlmServer::violation(const std::string& what) {
    violations_.push_back(what);
    return refused(400, {{"error", "not what decant should send: " + what}});
}

StandInAnswer LlmServer::answer(const StandInRequest& request) {
    const std::lock_guard lock{mutex_};
    if (fault_) {
        if (auto scripted = fault_(request)) return *scripted;
    }
    const auto type = request.headers.find("content-type");
    if (type == request.headers.end() || type->second != "application/json") return violation("content type");
    boost::system::error_code failed;
    const json::value body = json::parse(request.body, failed);
    if (request.method != "POST" || failed || !body.is_object())
        return violation(fmt::format("{} {} {}", request.method, request.target, request.body));
    if (request.target == "/api/chat") return ollama(body.get_object());
    if (request.target == "/v1/chat/completions") return openai(request, body.get_object());
    violation("path " + request.target);
    return {.status = 404, .body = "404 page not found"};
}

StandInAnswer LlmServer::ollama(const json::object& body) {
    if (auto wrong = ollama_request(body); !wrong.empty()) return violation(wrong);
    const std::string asked{body.at("model").get_string()};
    if (asked != model_) return refused(404, {{"error", fmt::format("model '{}' not found", asked)}});
    StandInAnswer answer{.headers = {"Content-Type: application/x-ndjson"}};
    for (const std::string& piece : answer_(body))
        answer.chunks.push_back(ollama_line(piece));
    answer.chunks.push_back(ollama_end());
    return answer;
}

StandInAnswer LlmServer::openai(const StandInRequest& request, const json::object& body) {
    if (auto wrong = openai_request(body); !wrong.empty()) return violation(wrong);
    const auto key = request.headers.find("authorization");
    if (!key_.empty() && (key == request.headers.end() || key->second != "Bearer " + key_))
        return openai_refused(401, "Incorrect API key provided");
    const std::string asked{body.at("model").get_string()};
    if (asked != model_) return openai_refused(404, fmt::format("The model `{}` does not exist", asked));
    if (wants_completion_tokens_ && (body.contains("max_tokens") || body.contains("temperature"))) {
        return openai_refused(400,
                              "Unsupported parameter: 'max_tokens' is not supported with this model. Use "
                              "'max_completion_tokens' instead.");
    }
    StandInAnswer answer{.headers = {"Content-Type: text/event-stream"}, .chunks = {": it begins\n\n"}};
    for (const std::string& piece : answer_(body))
        answer.chunks.push_back(openai_event(piece));
    const json::object last{{"index", 0}, {"delta", json::object{}}, {"finish_reason", "stop"}};
    answer.chunks.push_back(event_of(openai_chunk({last})));
    if (body.contains("stream_options")) {
        json::object usage = openai_chunk({});
        usage["usage"] = {{"prompt_tokens", 26}, {"completion_tokens", 7}, {"total_tokens", 33}};
        answer.chunks.push_back(event_of(usage));
    }
    answer.chunks.emplace_back("data: [DONE]\n\n");
    return answer;
}

}  // namespace decant::test
