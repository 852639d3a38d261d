#include "embed/ollama_embedder.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.hpp"
#include "core/shell_word.hpp"
#include "embed/detail/model_server.hpp"
#include "embed/detail/pull_stream.hpp"
#include "embed/detail/server_embedder.hpp"

namespace decant::embed {
namespace {

using detail::member;
using detail::ModelServer;
using detail::ServerAnswer;
using detail::text_of;

std::string without_latest(std::string name) {
    constexpr std::string_view latest = ":latest";
    if (name.ends_with(latest)) name.resize(name.size() - latest.size());
    return name;
}

ModelServer server_of(const ServerOptions& options) {
    const std::string name = shell_word(options.name);
    return {{.name = "Ollama", .url = net::parse_url(options.url, "OLLAMA_API_URL")},
            options,
            {.unavailable = "Start it with `ollama serve`, or set OLLAMA_API_URL to where it listens.",
             .address = "Set OLLAMA_API_URL to an Ollama of version 0.3 or later, as in http://localhost:11434.",
             .credentials = "Put user and password into OLLAMA_API_URL: http://USER:PASSWORD@host:11434.",
             .no_model = fmt::format("ollama pull {0} (or decant model pull {0}); if it is being pulled, wait", name)}};
}

std::vector<OllamaModel> models_of(ModelServer& server) {
    const ServerAnswer answer = server.ask("/api/tags");
    if (!answer.is_ok()) server.refuse(answer);
    const json::value* list = member(answer.body, "models");
    if (list == nullptr || (!list->is_array() && !list->is_null())) server.refuse_form();
    std::vector<OllamaModel> models;
    if (list->is_null()) return models;  // of a server without any
    for (const json::value& one : list->get_array()) {
        models.push_back({.name = without_latest(text_of(member(one, "name"))),
                          .digest = text_of(member(one, "digest")),
                          .bytes = detail::count_of(member(one, "size"))});
    }
    return models;
}

OllamaModel require_model(ModelServer& server, const std::string& name) {
    const std::vector<OllamaModel> models = models_of(server);
    if (const OllamaModel* found = find_ollama(models, name)) return *found;
    server.refuse_missing();
}

/// The member "<architecture>.<name>" of model_info.
std::size_t model_info(const json::value& shown, const std::string& name) {
    const json::value* info = member(shown, "model_info");
    if (info == nullptr) return 0;
    const std::string architecture = text_of(member(*info, "general.architecture"));
    return detail::count_of(member(*info, fmt::format("{}.{}", architecture, name)));
}

/// Older servers tell no capabilities.
void require_embedding(const json::value& shown, const ModelServer& server, const std::string& name) {
    const json::value* list = member(shown, "capabilities");
    const json::array* capabilities = list != nullptr ? list->if_array() : nullptr;
    if (capabilities == nullptr) return;
    std::string able;
    for (const json::value& one : *capabilities) {
        const std::string capability = text_of(&one);
        if (capability == "embedding") return;
        able += (able.empty() ? "" : ", ") + capability;
    }
    throw Error{ErrorCode::config_invalid,
                fmt::format("The model '{}' of {} is none for embeddings; it does: {}", name, server.address(), able),
                "Set OLLAMA_API_MODEL_EMBEDDING to one that is, as nomic-embed-text."};
}

/// What the server tells goes before what is known by name.
Model ask_model(ModelServer& server, const ServerOptions& options) {
    const OllamaModel found = require_model(server, options.name);
    const ServerAnswer shown = server.ask("/api/show", json::object{{"model", options.name}});
    if (!shown.is_ok()) server.refuse(shown);
    require_embedding(shown.body, server, options.name);
    Model model = server_model("ollama", found.name, options.settings);
    model.weights = found.digest.empty() ? "not told" : found.digest;
    if (const std::size_t length = model_info(shown.body, "context_length")) model.most_tokens = length;
    const std::size_t dimension = model_info(shown.body, "embedding_length");
    if (dimension == 0) return model;
    // Ollama ignores a number over the model's own.
    if (options.settings.dimension > dimension) {
        throw Error{ErrorCode::config_invalid,
                    fmt::format("The model '{}' of {} has {} dimensions, fewer than DECANT_EMBEDDING_DIMENSIONS, {}",
                                options.name, server.address(), dimension, options.settings.dimension),
                    fmt::format("Unset DECANT_EMBEDDING_DIMENSIONS, or set it to {} at most.", dimension)};
    }
    if (options.settings.dimension == 0) model.dimension = dimension;
    return model;
}

std::optional<detail::EmbedAnswer> ask_vectors(ModelServer& server, const ServerOptions& options,
                                               std::span<const std::string> texts) {
    json::array input;
    for (const std::string& text : texts)
        input.emplace_back(text);
    json::object body{{"model", options.name}, {"input", std::move(input)}, {"truncate", false}, {"keep_alive", "10m"}};
    if (options.settings.dimension != 0) body["dimensions"] = options.settings.dimension;
    const ServerAnswer answer = server.ask("/api/embed", body);
    if (answer.is_too_long()) return std::nullopt;
    if (!answer.is_ok()) server.refuse(answer);
    auto vectors = detail::ollama_answer(answer.body);
    if (!vectors) server.refuse_form();
    return vectors;
}

}  // namespace

std::unique_ptr<Embedder> open_ollama(const ServerOptions& options) {
    const auto server = std::make_shared<ModelServer>(server_of(options));
    Model model = ask_model(*server, options);
    return std::make_unique<detail::ServerEmbedder>(
        std::move(model), [=](std::span<const std::string> texts) { return ask_vectors(*server, options, texts); },
        detail::ServerEmbedder::Limits{});
}

std::vector<OllamaModel> list_ollama(const ServerOptions& options) {
    ModelServer server = server_of(options);
    return models_of(server);
}

const OllamaModel* find_ollama(const std::vector<OllamaModel>& models, const std::string& name) {
    const auto found = std::ranges::find(models, without_latest(name), &OllamaModel::name);
    return found == models.end() ? nullptr : &*found;
}

void pull_ollama(const ServerOptions& options, const PullProgress& progress) {
    ServerOptions patient = options;
    patient.patience.idle = std::chrono::minutes{10};  // while the digest of a large file is computed
    patient.patience.total = std::chrono::milliseconds{0};
    ModelServer server = server_of(patient);
    detail::PullStream stream;
    const net::HttpResponse response = server.client().send({.path = "/api/pull",
                                                             .body = json_text(json::object{{"model", options.name}}),
                                                             .tries = 1,
                                                             .on_bytes = [&](std::string_view bytes) {
                                                                 const bool goes_on = stream.take(bytes);
                                                                 const auto [done, total] = stream.bytes();
                                                                 progress(done, total);
                                                                 return goes_on;
                                                             }});
    if (stream.is_done()) return;
    if (!response.is_ok()) {
        const auto body = detail::parse_body(response.body);
        server.refuse({.status = response.status, .message = body ? detail::error_text(*body) : response.body});
    }
    const std::string why = stream.error().empty() ? "its answer ends without success" : stream.error();
    const bool is_unknown = why.find("file does not exist") != std::string::npos;
    throw Error{is_unknown ? ErrorCode::not_found : ErrorCode::embedder_unavailable,
                fmt::format("{} did not pull '{}': {}", server.address(), options.name, why),
                is_unknown ? "Check the model's name: the server's registry does not know it."
                           : "See that the server reaches its registry; then run the same command again: it goes on "
                             "where it stopped."};
}

}  // namespace decant::embed
