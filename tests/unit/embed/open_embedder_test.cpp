#include "embed/open_embedder.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"

namespace decant::embed {
namespace {

EmbedderChoice choice_of(const Settings::Variables& variables) {
    return chosen_embedder(Settings::from({}, variables));
}

ServerOptions options_of(const Settings::Variables& variables) {
    const Settings settings = Settings::from({}, variables);
    return server_options(settings, chosen_embedder(settings));
}

TEST(ChosenEmbedder, IsOllamaWhereOneOfItsSettingsIsSetElseTheEmbeddedModel) {
    EXPECT_EQ(choice_of({}).provider, "local");
    EXPECT_EQ(choice_of({}).model, "multilingual-e5-small");
    EXPECT_EQ(choice_of({{"OLLAMA_API_URL", "http://gpu:11434"}}).model, "nomic-embed-text");
    EXPECT_EQ(choice_of({{"OLLAMA_API_MODEL_EMBEDDING", "bge-m3"}}).provider, "ollama");
    EXPECT_EQ(choice_of({{"OLLAMA_API_URL", "http://gpu:11434"}, {"DECANT_EMBEDDER", "local"}}).provider, "local");
    EXPECT_EQ(choice_of({{"DECANT_EMBEDDER", "none"}}).model, "");
}

TEST(ServerOptions, ComeFromTheSettings) {
    const ServerOptions options = options_of({{"DECANT_EMBEDDER", "openai"},
                                              {"OPENAI_BASE_URL", "http://localhost:8000/v1"},
                                              {"OPENAI_API_KEY", "sk-1"},
                                              {"DECANT_EMBEDDING_MODEL", "ours"},
                                              {"DECANT_PASSAGE_PREFIX", "p: "},
                                              {"DECANT_TEXT_RECIPE", "title-first"},
                                              {"DECANT_EMBEDDING_DIMENSIONS", "256"}});
    EXPECT_EQ(options.url, "http://localhost:8000/v1");
    EXPECT_EQ(options.key, "sk-1");
    EXPECT_EQ(options.name, "ours");
    EXPECT_EQ(options.settings.passage_prefix, "p: ");
    EXPECT_FALSE(options.settings.query_prefix);
    EXPECT_EQ(options.settings.recipe, catalog::TextRecipe::title_first);
    EXPECT_EQ(options.settings.dimension, 256U);
}

TEST(ServerOptions, GiveTheKeyToOpenAiOnly) {
    EXPECT_EQ(options_of({{"DECANT_EMBEDDER", "ollama"}, {"OPENAI_API_KEY", "sk-1"}}).key, "");
    EXPECT_EQ(options_of({{"DECANT_EMBEDDER", "ollama"}}).url, "http://localhost:11434");
    EXPECT_EQ(options_of({{"DECANT_EMBEDDER", "openai"}}).url, "https://api.openai.com/v1");
}

TEST(ServerModel, IsWhatIsKnownByNameWithTheSettingsBeforeIt) {
    const Model nomic = server_model("ollama", "nomic-embed-text:v1.5", {.query_prefix = "q: "});
    EXPECT_EQ(nomic.passage_prefix, "search_document: ");
    EXPECT_EQ(nomic.query_prefix, "q: ");
    EXPECT_EQ(nomic.name, "nomic-embed-text:v1.5");
    EXPECT_EQ(server_model("openai", "nomic-embed-text", {}).passage_prefix, "search_document: ");
    EXPECT_EQ(server_model("openai", "ours", {}).dimension, 0U);
}

}  // namespace
}  // namespace decant::embed
