#include "embed/known_models.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace decant::embed {

// Thresholds and targets stand only where they were measured (docs/embedding.md) or where the migration guide gives
// them.
std::span<const Model> known_models() {
    static const std::vector<Model> table{
        {.provider = "local",
         .name = "multilingual-e5-small",
         .dimension = 384,
         .most_tokens = 512,
         .passage_prefix = "passage: ",
         .query_prefix = "query: ",
         .search_threshold = 0.3,
         .similar_threshold = 0.3,
         .threshold_range = ThresholdRange{0.05, 0.5},
         .similarity_target = 0.32},
        {.provider = "local",
         .name = "use-multilingual",
         .dimension = 512,
         .most_tokens = 512,
         .recipe = catalog::TextRecipe::title_first,
         .search_threshold = 0.2,
         .similar_threshold = 0.4,
         .threshold_range = ThresholdRange{0.05, 0.5}},
        {.provider = "ollama",
         .name = "nomic-embed-text",
         .dimension = 768,
         .most_tokens = 2048,
         .passage_prefix = "search_document: ",
         .query_prefix = "search_query: ",
         .search_threshold = 0.7,
         .similar_threshold = 0.6,
         .chroma_threshold = 0.5,
         .threshold_range = ThresholdRange{0.4, 0.9},
         .similarity_target = 0.75},
        {.provider = "ollama",
         .name = "mxbai-embed-large",
         .dimension = 1024,
         .most_tokens = 512,
         .query_prefix = "Represent this sentence for searching relevant passages: "},
        {.provider = "ollama", .name = "bge-m3", .dimension = 1024, .most_tokens = 8192},
        {.provider = "ollama",
         .name = "embeddinggemma",
         .dimension = 768,
         .most_tokens = 2048,
         .passage_prefix = "title: none | text: ",
         .query_prefix = "task: search result | query: "},
        {.provider = "openai", .name = "text-embedding-3-small", .dimension = 1536, .most_tokens = 8191},
        {.provider = "openai", .name = "text-embedding-3-large", .dimension = 3072, .most_tokens = 8191},
    };
    return table;
}

const Model* find_known_model(std::string_view provider, std::string_view name) {
    name = name.substr(0, name.find(':'));
    const std::span<const Model> models = known_models();
    const auto found = std::ranges::find_if(
        models, [&](const Model& model) { return model.provider == provider && model.name == name; });
    return found == models.end() ? nullptr : &*found;
}

Model server_model(const std::string& provider, const std::string& name, const ModelSettings& settings) {
    const Model* known = find_known_model(provider, name);
    if (known == nullptr) known = find_known_model("ollama", name);
    Model model = known != nullptr ? *known : Model{};
    model.provider = provider;
    model.name = name;
    if (settings.passage_prefix) model.passage_prefix = *settings.passage_prefix;
    if (settings.query_prefix) model.query_prefix = *settings.query_prefix;
    if (settings.recipe) model.recipe = *settings.recipe;
    if (settings.dimension != 0) model.dimension = settings.dimension;
    return model;
}

std::string Model::fingerprint() const {
    return hex(sha256(fmt::format(
        "provider={}\nname={}\nweights={}\ndimension={}\nmost_tokens={}\npassage={}\n"
        "query={}\nrecipe={}\n",
        provider, name, weights, dimension, most_tokens, passage_prefix, query_prefix, catalog::name_of(recipe))));
}

}  // namespace decant::embed
