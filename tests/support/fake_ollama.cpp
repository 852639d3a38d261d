#include "tests/support/fake_ollama.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cmath>
#include <numeric>
#include <random>
#include <sstream>

#include "core/json.hpp"
#include "core/sha256.hpp"

namespace decant::test {
namespace {

StandInAnswer ok(const json::value& value) {
    return {.body = json::serialize(value), .headers = {"Content-Type: application/json; charset=utf-8"}};
}

StandInAnswer refused(int status, const std::string& error) {
    return {.status = status, .body = json::serialize(json::object{{"error", error}})};
}

std::string full_name(const std::string& name) {
    return name.find(':') == std::string::npos ? name + ":latest" : name;
}

std::string text_of(const json::object& body, const std::string& name) {
    const json::value* found = body.if_contains(name);
    return found != nullptr && found->is_string() ? std::string{found->get_string()} : std::string{};
}

std::size_t tokens_of(const std::string& text) {
    std::istringstream words{text};
    std::size_t tokens = 2;
    for (std::string word; words >> word;)
        tokens += (word.size() + 2) / 3;
    return tokens;
}

std::size_t tokens_of(const std::vector<std::string>& texts) {
    return std::accumulate(texts.begin(), texts.end(), std::size_t{0},
                           [](std::size_t sum, const std::string& text) { return sum + tokens_of(text); });
}

json::array vector_of(const FakeModel& model, const std::string& text, std::size_t dimension) {
    const Digest digest = sha256(model.weights + "\n" + text);
    std::seed_seq seed(reinterpret_cast<const unsigned char*>(digest.data()),
                       reinterpret_cast<const unsigned char*>(digest.data() + digest.size()));
    std::mt19937 random{seed};
    std::vector<double> values(std::min(dimension, model.dimension));
    double squares = 0;
    for (double& value : values) {
        value = static_cast<double>(random()) / 4294967296.0 - 0.5;
        squares += value * value;
    }
    json::array out;
    for (const double value : values)
        out.emplace_back(value / std::sqrt(squares));
    return out;
}

bool are_strings(const json::value& value) {
    return value.is_array() &&
           std::ranges::all_of(value.get_array(), [](const json::value& one) { return one.is_string(); });
}

/// What is wrong with a request's members, each with the test of its type; empty: nothing.
using Check = std::function<bool(const json::value&)>;
std::string misfit(const json::object& body, const std::map<std::string, Check>& members,
                   const std::vector<std::string>& required) {
    for (const auto& [name, value] : body) {
        const auto found = members.find(std::string{name});
        if (found == members.end()) return fmt::format("unknown member {}", std::string{name});
        if (!found->second(value)) return fmt::format("{} is {}", std::string{name}, json::serialize(value));
    }
    for (const std::string& name : required) {
        if (!body.contains(name)) return "no member " + name;
    }
    return {};
}

const Check is_text = [](const json::value& value) { return value.is_string() && !value.get_string().empty(); };
const Check is_number = [](const json::value& value) { return value.is_int64() && value.get_int64() > 0; };
const Check is_false = [](const json::value& value) { return value.is_bool() && !value.get_bool(); };

std::vector<std::string> texts_of(const json::object& body) {
    std::vector<std::string> texts;
    for (const json::value& one : body.at("input").as_array())
        texts.emplace_back(one.get_string());
    return texts;
}

std::string layer_line(const std::string& digest, std::size_t total, std::size_t completed) {
    return json::serialize(json::object{{"status", "pulling " + digest.substr(0, 12)},
                                        {"digest", "sha256:" + digest},
                                        {"total", total},
                                        {"completed", completed}}) +
           "\n";
}

}  // namespace

FakeOllama::FakeOllama(const FakeModel& model)
    : models_{{full_name(model.name), model}},
      http_([this](const StandInRequest& request) { return answer(request); }) {}

void FakeOllama::put(const FakeModel& model) {
    const std::lock_guard lock{mutex_};
    models_.insert_or_assign(full_name(model.name), model);
}

void FakeOllama::remove(const std::string& name) {
    const std::lock_guard lock{mutex_};
    models_.erase(full_name(name));
}

void FakeOllama::publish(const FakeModel& model) {
    const std::lock_guard lock{mutex_};
    registry_.insert_or_assign(full_name(model.name), model);
}

void FakeOllama::set_fault(Fault fault) {
    const std::lock_guard lock{mutex_};
    fault_ = std::move(fault);
}

void FakeOllama::set_spoil(Spoil spoil) {
    const std::lock_guard lock{mutex_};
    spoil_ = std::move(spoil);
}

void FakeOllama::require_key(const std::string& key) {
    const std::lock_guard lock{mutex_};
    key_ = key;
}

std::size_t FakeOllama::count(const std::string& path) const {
    const auto requests = http_.requests();
    return static_cast<std::size_t>(std::ranges::count_if(
        requests, [&](const StandInRequest& request) { return request.target.starts_with(path); }));
}

std::vector<std::string> FakeOllama::violations() const {
    const std::lock_guard lock{mutex_};
    return violations_;
}

StandInAnswer FakeOllama::violation(const std::string& what) {
    violations_.push_back(what);
    return refused(400, "not what decant should send: " + what);
}

StandInAnswer FakeOllama::answer(const StandInRequest& request) {
    const std::lock_guard lock{mutex_};
    if (fault_) {
        if (auto answer = fault_(request)) return *answer;
    }
    if (request.target == "/api/tags") return request.method == "GET" ? tags() : violation("POST " + request.target);
    boost::system::error_code failed;
    const json::value body = json::parse(request.body, failed);
    if (request.method != "POST" || failed || !body.is_object())
        return violation(fmt::format("{} {} {}", request.method, request.target, request.body));
    const json::object& members = body.get_object();
    if (request.target == "/api/show") return show(members);
    if (request.target == "/api/embed") return embed(members);
    if (request.target == "/api/pull") return pull(members);
    if (request.target != "/v1/embeddings") {
        violation("path " + request.target);
        return {.status = 404, .body = "404 page not found"};
    }
    const auto key = request.headers.find("authorization");
    if (key_.empty() || (key != request.headers.end() && key->second == "Bearer " + key_)) return openai(members);
    StandInAnswer no_key =
        ok({{"error", {{"message", "Incorrect API key provided"}, {"type", "invalid_request_error"}}}});
    no_key.status = 401;
    return no_key;
}

const FakeModel* FakeOllama::find(const json::object& body) const {
    const auto found = models_.find(full_name(text_of(body, "model")));
    return found == models_.end() ? nullptr : &found->second;
}

StandInAnswer FakeOllama::tags() const {
    json::array list;
    for (const auto& [name, model] : models_) {
        list.push_back({{"name", name},
                        {"model", name},
                        {"modified_at", "2026-11-22T15:18:45.942862879Z"},
                        {"size", 274302450},
                        {"digest", model.digest},
                        {"details", {{"format", "gguf"}, {"family", "bert"}, {"families", json::array{"bert"}}}}});
    }
    return ok({{"models", std::move(list)}});
}

StandInAnswer FakeOllama::show(const json::object& body) {
    if (const auto wrong = misfit(body, {{"model", is_text}}, {"model"}); !wrong.empty()) return violation(wrong);
    const FakeModel* model = find(body);
    if (model == nullptr) return refused(404, fmt::format("model '{}' not found", text_of(body, "model")));
    json::array capabilities;
    for (const std::string& one : model->capabilities)
        capabilities.emplace_back(one);
    return ok({{"model_info",
                {{"general.architecture", "bert"},
                 {"bert.embedding_length", model->dimension},
                 {"bert.context_length", model->context}}},
               {"capabilities", std::move(capabilities)}});
}

std::optional<json::array> FakeOllama::vectors_of(const FakeModel& model, const std::vector<std::string>& texts,
                                                  const json::object& body) const {
    const json::value* asked = body.if_contains("dimensions");
    const std::size_t dimension = asked != nullptr ? asked->to_number<std::size_t>() : model.dimension;
    json::array vectors;
    for (const std::string& text : texts) {
        if (tokens_of(text) > model.context) return std::nullopt;
        vectors.push_back(vector_of(model, text, dimension));
    }
    if (spoil_) spoil_(texts, vectors);
    return vectors;
}

StandInAnswer FakeOllama::embed(const json::object& body) {
    const auto wrong = misfit(body,
                              {{"model", is_text},
                               {"input", are_strings},
                               {"truncate", is_false},
                               {"keep_alive", is_text},
                               {"dimensions", is_number}},
                              {"model", "input", "truncate"});
    if (!wrong.empty()) return violation(wrong);
    const FakeModel* model = find(body);
    if (model == nullptr) {
        return refused(404, fmt::format("model \"{}\" not found, try pulling it first", text_of(body, "model")));
    }
    const std::vector<std::string> texts = texts_of(body);
    auto vectors = vectors_of(*model, texts, body);
    if (!vectors) return refused(400, "the input length exceeds the context length");
    return ok({{"model", text_of(body, "model")},
               {"embeddings", std::move(*vectors)},
               {"total_duration", 126653504},
               {"load_duration", 94068857},
               {"prompt_eval_count", tokens_of(texts)}});
}

StandInAnswer FakeOllama::pull(const json::object& body) {
    if (const auto wrong = misfit(body, {{"model", is_text}}, {"model"}); !wrong.empty()) return violation(wrong);
    const auto found = registry_.find(full_name(text_of(body, "model")));
    StandInAnswer answer{.headers = {"Content-Type: application/x-ndjson"},
                         .chunks = {"{\"status\":\"pulling manifest\"}\n"}};
    if (found == registry_.end()) {
        answer.chunks.emplace_back("{\"error\":\"pull model manifest: file does not exist\"}\n");
        return answer;
    }
    const std::string& digest = found->second.digest;
    for (const std::size_t completed : {0U, 100'000'000U, 274'302'450U})
        answer.chunks.push_back(layer_line(digest, 274'302'450, completed));
    answer.chunks.emplace_back("{\"status\":\"verifying sha256 digest\"}\n{\"status\":\"writing mani");
    answer.chunks.emplace_back("fest\"}\n{\"status\":\"success\"}\n");
    models_.insert_or_assign(found->first, found->second);
    return answer;
}

StandInAnswer FakeOllama::openai(const json::object& body) {
    const auto wrong = misfit(body,
                              {{"model", is_text},
                               {"input", are_strings},
                               {"encoding_format", [](const json::value& value) { return value == "float"; }},
                               {"dimensions", is_number}},
                              {"model", "input", "encoding_format"});
    if (!wrong.empty()) return violation(wrong);
    const FakeModel* model = find(body);
    const auto error = [](int status, const std::string& message) {
        return StandInAnswer{
            .status = status,
            .body = json::serialize(json::object{
                {"error", {{"message", message}, {"type", "api_error"}, {"param", nullptr}, {"code", nullptr}}}})};
    };
    if (model == nullptr) return error(404, fmt::format("model \"{}\" not found", text_of(body, "model")));
    const std::vector<std::string> texts = texts_of(body);
    auto vectors = vectors_of(*model, texts, body);
    if (!vectors) {
        return error(400,
                     fmt::format("This model's maximum context length is {} tokens, however you requested {} tokens",
                                 model->context, tokens_of(texts)));
    }
    json::array data;
    for (std::size_t i = vectors->size(); i-- > 0;)  // the order of the list says nothing
        data.push_back({{"object", "embedding"}, {"embedding", (*vectors)[i]}, {"index", i}});
    return ok({{"object", "list"},
               {"data", std::move(data)},
               {"model", text_of(body, "model")},
               {"usage", {{"prompt_tokens", tokens_of(texts)}, {"total_tokens", tokens_of(texts)}}}});
}

}  // namespace decant::test
