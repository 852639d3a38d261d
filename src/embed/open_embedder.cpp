#include "embed/open_embedder.hpp"

#include <fmt/format.h>

#include "core/error.hpp"
#include "embed/local_embedder.hpp"
#include "embed/model_folder.hpp"

namespace decant::embed {
namespace {

std::string provider_of(const Settings& settings) {
    const std::string named = *settings.get("DECANT_EMBEDDER");
    if (named != "auto") return named;
    const bool has_ollama = settings.get("OLLAMA_API_URL") || settings.get("OLLAMA_API_MODEL_EMBEDDING");
    return has_ollama ? "ollama" : "local";
}

}  // namespace

EmbedderChoice chosen_embedder(const Settings& settings) {
    const std::string provider = provider_of(settings);
    const auto named = settings.get("DECANT_EMBEDDING_MODEL");
    if (provider == "local") return {provider, named.value_or("multilingual-e5-small")};
    if (provider == "ollama")
        return {provider, named.value_or(settings.get("OLLAMA_API_MODEL_EMBEDDING").value_or("nomic-embed-text"))};
    if (provider == "openai") return {provider, named.value_or("text-embedding-3-small")};
    return {provider, {}};
}

std::unique_ptr<Embedder> open_embedder(const Settings& settings) {
    const EmbedderChoice choice = chosen_embedder(settings);
    if (choice.provider == "none") return nullptr;
    if (choice.provider == "local") {
        return open_local({.models = find_model_folder(settings.get("DECANT_MODEL_DIR")), .name = choice.model});
    }
    throw Error{ErrorCode::config_invalid, fmt::format("There is no embedder '{}'", choice.provider),
                "set DECANT_EMBEDDER to local"};
}

}  // namespace decant::embed
