#include "embed/open_embedder.hpp"

#include "core/error.hpp"
#include "embed/local_embedder.hpp"
#include "embed/model_folder.hpp"
#include "embed/ollama_embedder.hpp"
#include "embed/openai_embedder.hpp"

namespace decant::embed {
namespace {

std::string provider_of(const Settings& settings) {
    const std::string named = settings.get("DECANT_EMBEDDER").value_or("auto");
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

ServerOptions server_options(const Settings& settings, const EmbedderChoice& choice) {
    ServerOptions options{.url = settings.get("OLLAMA_API_URL").value_or("http://localhost:11434"),
                          .name = choice.model};
    if (choice.provider == "openai") {
        options.url = settings.get("OPENAI_BASE_URL").value_or("https://api.openai.com/v1");
        options.key = settings.get("OPENAI_API_KEY").value_or("");
    }
    options.settings = {.passage_prefix = settings.get("DECANT_PASSAGE_PREFIX"),
                        .query_prefix = settings.get("DECANT_QUERY_PREFIX")};
    if (const auto recipe = settings.get("DECANT_TEXT_RECIPE")) {
        options.settings.recipe =
            *recipe == "labelled" ? catalog::TextRecipe::labelled : catalog::TextRecipe::title_first;
    }
    if (const auto dimension = settings.get("DECANT_EMBEDDING_DIMENSIONS"))
        options.settings.dimension = std::stoul(*dimension);  // a number, as the settings' table says
    if (choice.fixed) options.settings = *choice.fixed;
    return options;
}

std::unique_ptr<Embedder> open_embedder(const Settings& settings, const EmbedderChoice& choice,
                                        const ServerPatience& patience) {
    if (choice.provider == "none") return nullptr;
    if (choice.provider == "local") {
        return open_local({.models = find_model_folder(settings.get("DECANT_MODEL_DIR")),
                           .name = choice.model,
                           .is_float32 = settings.get("DECANT_EMBEDDING_PRECISION") == "f32"});
    }
    ServerOptions options = server_options(settings, choice);
    options.patience = patience;
    return choice.provider == "ollama" ? open_ollama(options) : open_openai(options);
}

std::unique_ptr<Embedder> require_embedder(const Settings& settings, const EmbedderChoice& choice,
                                           const ServerPatience& patience) {
    if (auto embedder = open_embedder(settings, choice, patience)) return embedder;
    throw Error{ErrorCode::config_invalid, "DECANT_EMBEDDER is none: nothing embeds texts",
                "Name what does: --embedder local, or set DECANT_EMBEDDER to local, ollama or openai."};
}

}  // namespace decant::embed
