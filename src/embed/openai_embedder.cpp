#include "embed/openai_embedder.hpp"

#include <fmt/format.h>

#include "core/log.hpp"
#include "embed/detail/model_server.hpp"
#include "embed/detail/server_embedder.hpp"

namespace decant::embed {
namespace {

using detail::ModelServer;
using detail::ServerAnswer;

ModelServer server_of(const ServerOptions& options) {
    net::HttpService service{.name = "The OpenAI API", .url = net::parse_url(options.url, "OPENAI_BASE_URL")};
    if (!options.key.empty()) {
        service.headers.push_back(fmt::format("Authorization: Bearer {}", options.key));
        if (service.url.scheme == "http" && !service.url.is_loopback())
            log::warning("{} is not encrypted: OPENAI_API_KEY passes in the open.", service.url.text());
    }
    return {
        std::move(service),
        options,
        {.unavailable = "Check OPENAI_BASE_URL and the way there; then run the same command again.",
         .address = "Set OPENAI_BASE_URL to what stands before /embeddings, as in https://api.openai.com/v1.",
         .credentials = options.key.empty() ? "Set OPENAI_API_KEY, or OPENAI_API_KEY_FILE." : "Check OPENAI_API_KEY.",
         .no_model = "Set DECANT_EMBEDDING_MODEL to a model that the server has and the key may use."}};
}

std::optional<detail::EmbedAnswer> ask_vectors(ModelServer& server, const ServerOptions& options,
                                               std::span<const std::string> texts) {
    json::array input;
    for (const std::string& text : texts)
        input.emplace_back(text);
    json::object body{{"model", options.name}, {"input", std::move(input)}, {"encoding_format", "float"}};
    if (options.settings.dimension != 0) body["dimensions"] = options.settings.dimension;
    const ServerAnswer answer = server.ask("/embeddings", body);
    if (answer.is_too_long()) return std::nullopt;
    if (!answer.is_ok()) server.refuse(answer);
    auto vectors = detail::openai_answer(answer.body);
    if (!vectors) server.refuse_form();
    return vectors;
}

}  // namespace

std::unique_ptr<Embedder> open_openai(const ServerOptions& options) {
    const auto server = std::make_shared<ModelServer>(server_of(options));
    Model model = server_model("openai", options.name, options.settings);
    model.weights = server->client().service().url.text();
    return std::make_unique<detail::ServerEmbedder>(
        std::move(model), [=](std::span<const std::string> texts) { return ask_vectors(*server, options, texts); },
        detail::ServerEmbedder::Limits{.texts = 128, .bytes = 256UL << 10U});
}

}  // namespace decant::embed
