#include <fmt/format.h>

#include <bit>

#include "api/routes.hpp"
#include "api/worker.hpp"
#include "core/base64.hpp"
#include "core/error.hpp"
#include "embed/checked_embedder.hpp"

// OpenAI's API of embeddings for the server's own model, so that other tools can use it as they use OpenAI or Ollama.
// Source of the shapes: OpenAI, API reference, "Embeddings" and "Models". Errors have its shape too: api/problem.

namespace decant::api {
namespace {

constexpr std::size_t most_texts = 256;

const Shape embeddings_body{
    .name = "OpenAiEmbeddingsRequest",
    .fields = {{.name = "input",
                .type = FieldType::text_or_texts,
                .about = "A text, or up to 256 of them",
                .required = true,
                .least = 1,
                .most = most_texts},
               {.name = "model",
                .about = "The server's model, as GET /v1/models names it",
                .required = true,
                .least = 1,
                .most = 200},
               {.name = "encoding_format", .fallback = "float", .choices = {"float", "base64"}},
               {.name = "dimensions",
                .type = FieldType::integer,
                .about = "The model's own and no other",
                .least = 1,
                .most = 16'000,
                .nullable = true},
               {.name = "user", .about = "Is taken and not used", .most = 200, .nullable = true}}};

const Shape embedding_shape{.name = "OpenAiEmbedding",
                            .fields = {{.name = "object", .required = true, .choices = {"embedding"}},
                                       {.name = "index", .type = FieldType::integer, .required = true},
                                       {.name = "embedding",
                                        .type = FieldType::text_or_numbers,
                                        .about = "Numbers; with base64 its float32 values, little-endian",
                                        .required = true}}};

const Shape usage_shape{.name = "OpenAiUsage",
                        .fields = {{.name = "prompt_tokens",
                                    .type = FieldType::integer,
                                    .about = "0 where the model's server does not tell",
                                    .required = true},
                                   {.name = "total_tokens", .type = FieldType::integer, .required = true}}};

const Shape embeddings_answer{
    .name = "OpenAiEmbeddings",
    .fields = {{.name = "object", .required = true, .choices = {"list"}},
               {.name = "data", .type = FieldType::objects, .required = true, .shape = &embedding_shape},
               {.name = "model", .required = true},
               {.name = "usage", .type = FieldType::object, .required = true, .shape = &usage_shape}}};

const Shape model_shape{.name = "OpenAiModel",
                        .fields = {{.name = "id", .required = true},
                                   {.name = "object", .required = true, .choices = {"model"}},
                                   {.name = "created", .type = FieldType::integer, .required = true},
                                   {.name = "owned_by", .required = true}}};

const Shape models_answer{
    .name = "OpenAiModels",
    .fields = {{.name = "object", .required = true, .choices = {"list"}},
               {.name = "data", .type = FieldType::objects, .required = true, .shape = &model_shape}}};

[[noreturn]] void refuse(const std::string& what, const std::string& remedy) {
    throw Error{ErrorCode::request_invalid, what, remedy};
}

std::vector<std::string_view> texts_of(const json::value& input) {
    std::vector<std::string_view> texts;
    if (const json::string* text = input.if_string()) texts.emplace_back(*text);
    if (const json::array* array = input.if_array()) {
        for (const json::value& text : *array)
            texts.emplace_back(text.as_string());
    }
    return texts;
}

/// What is stored, unless the caller says that it asks: OpenAI's API knows no difference, but models do.
embed::Role role_of(const net::ServerRequest& request) {
    const auto role = sent_header(request, "x-decant-role");
    if (!role || role == "passage") return embed::Role::passage;
    if (role == "query") return embed::Role::query;
    refuse("X-Decant-Role takes passage or query", "Leave it out for passages.");
}

void check_model(const json::object& body, const embed::Model& model) {
    if (body.at("model").as_string() != model.name) {
        throw Error{ErrorCode::not_found, fmt::format("The model here is '{}' and no other", model.name),
                    "GET /v1/models lists it."};
    }
    const json::value* dimensions = body.if_contains("dimensions");
    if (dimensions == nullptr || dimensions->is_null()) return;
    if (dimensions->as_int64() != static_cast<std::int64_t>(model.dimension))
        refuse(fmt::format("Model '{}' gives {} dimensions and no other number", model.name, model.dimension),
               "Leave dimensions out.");
}

/// The vectors, all of texts that were read whole.
std::vector<embed::TextVector> vectors_of(embed::Embedder& embedder, const std::vector<std::string_view>& texts,
                                          embed::Role role) {
    std::vector<embed::Outcome> outcomes = embed::CheckedEmbedder{embedder}.embed(texts, role);
    std::vector<embed::TextVector> vectors;
    for (embed::Outcome& outcome : outcomes) {
        if (const auto* fault = std::get_if<embed::TextFault>(&outcome))
            refuse(fmt::format("input {} cannot be embedded: {}", vectors.size(), fault->reason), "");
        vectors.push_back(std::get<embed::TextVector>(std::move(outcome)));
        if (vectors.back().cut_tokens > 0)
            refuse(fmt::format("input {} is {} tokens longer than the model reads", vectors.size() - 1,
                               vectors.back().cut_tokens),
                   "Divide it.");
    }
    return vectors;
}

std::string float_bytes(const std::vector<float>& values) {
    static_assert(std::endian::native == std::endian::little);
    return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

/// Written by hand: shortest digits of floats, which the JSON of the rest knows only as doubles.
std::string answer_text(const std::vector<embed::TextVector>& vectors, const std::string& model, bool is_base64) {
    std::string data;
    std::size_t tokens = 0;
    for (std::size_t i = 0; i < vectors.size(); ++i) {
        const std::vector<float>& values = vectors[i].values;
        data += fmt::format(
            R"({}{{"object":"embedding","index":{},"embedding":{}}})", i == 0 ? "" : ",", i,
            is_base64 ? fmt::format("\"{}\"", base64(float_bytes(values))) : json_text(std::span<const float>{values}));
        tokens += vectors[i].tokens;
    }
    return fmt::format(R"({{"object":"list","data":[{}],"model":{},"usage":{{"prompt_tokens":{},"total_tokens":{}}}}})",
                       data, json_text(json::value(model)), tokens, tokens);
}

Reply embeddings(Call& call) {
    const std::shared_ptr<QueryEmbedder> current = call.worker->services().embedders.current();
    QueryEmbedder& embedder = *current;
    const embed::Role role = role_of(call.request());
    const std::vector<std::string_view> texts = texts_of(call.body.at("input"));
    embedder.require();
    check_model(call.body, embedder.model());
    const std::vector<embed::TextVector> vectors = vectors_of(embedder, texts, role);
    return {
        .headers = {{"Content-Type", "application/json"}, {"Cache-Control", "no-store"}},
        .text = answer_text(vectors, embedder.model().name, call.body.at("encoding_format").as_string() == "base64")};
}

Reply models(Call& call) {
    const std::shared_ptr<QueryEmbedder> current = call.worker->services().embedders.current();
    QueryEmbedder& embedder = *current;
    embedder.require();
    const embed::Model& model = embedder.model();
    const json::object one{{"id", model.name}, {"object", "model"}, {"created", 0}, {"owned_by", model.provider}};
    return {.body = json::object{{"object", "list"}, {"data", json::array{one}}}};
}

}  // namespace

std::vector<Route> openai_routes() {
    return {{.method = "POST",
             .path = "/v1/embeddings",
             .id = "openaiEmbeddings",
             .group = "openai",
             .summary = "OpenAI's embeddings call, answered by the server's model",
             .scope = Scope::embed,
             .rate = RateClass::embedding,
             .lane = LaneKind::embedding,
             .body = &embeddings_body,
             .answer = &embeddings_answer,
             .refusals = {404},
             .request_headers = {{"X-Decant-Role", "^(passage|query)$", "query"}},
             .example = json::object{{"input", "notebook liviana"}, {"model", "multilingual-e5-small"}},
             .handle = embeddings},
            {.method = "GET",
             .path = "/v1/models",
             .id = "openaiModels",
             .group = "openai",
             .summary = "The server's model, in OpenAI's shape",
             .scope = Scope::embed,
             .rate = RateClass::monitoring,
             .lane = LaneKind::work,
             .answer = &models_answer,
             .handle = models}};
}

}  // namespace decant::api
