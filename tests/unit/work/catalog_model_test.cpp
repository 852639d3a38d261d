// What embeds products and questions: the model that the column tells, before what the settings choose.

#include "work/catalog_model.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace decant::work {
namespace {

const store::ColumnModel told{.provider = "ollama",
                              .name = "bge-m3",
                              .dimension = 512,
                              .asked_dimension = 512,
                              .passage_prefix = "p: ",
                              .query_prefix = "q: ",
                              .recipe = catalog::TextRecipe::title_first};

TEST(CatalogModel, IsTheColumnsWhateverTheSettingsName) {
    const Settings settings = Settings::from(
        {}, {{"DECANT_EMBEDDER", "local"}, {"DECANT_QUERY_PREFIX", "other: "}, {"DECANT_EMBEDDING_DIMENSIONS", "99"}});
    const embed::EmbedderChoice choice = catalog_choice(settings, told);
    EXPECT_EQ(choice.provider, "ollama");
    EXPECT_EQ(choice.model, "bge-m3");
    const embed::ServerOptions options = embed::server_options(settings, choice);
    EXPECT_EQ(options.settings.query_prefix, "q: ");
    EXPECT_EQ(options.settings.recipe, catalog::TextRecipe::title_first);
    EXPECT_EQ(options.settings.dimension, 512U);
}

TEST(CatalogModel, IsTheSettingsWhereTheColumnTellsNone) {
    const Settings settings = Settings::from({}, {{"OLLAMA_API_MODEL_EMBEDDING", "all-minilm"}});
    const embed::EmbedderChoice choice = catalog_choice(settings, std::nullopt);
    EXPECT_EQ(choice.model, "all-minilm");
    EXPECT_FALSE(choice.fixed);
}

TEST(CatalogModel, IsNotAnotherThatTheCommandLineNames) {
    const Settings same = Settings::from({{"DECANT_EMBEDDER", "ollama"}, {"DECANT_EMBEDDING_MODEL", "bge-m3"}}, {});
    EXPECT_EQ(catalog_choice(same, told).model, "bge-m3");
    const Settings other = Settings::from({{"DECANT_EMBEDDING_MODEL", "use-multilingual"}}, {});
    try {
        catalog_choice(other, told);
        ADD_FAILURE() << "products would be embedded by two models";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::conflict);
        EXPECT_THAT(error.remedy(), testing::HasSubstr("decant model change use-multilingual"));
    }
}

TEST(CatalogModel, IsKnownByProviderNameAndDimension) {
    embed::Model model{.provider = "ollama", .name = "bge-m3", .dimension = 512};
    EXPECT_TRUE(is_of(told, model));
    model.dimension = 1024;
    EXPECT_FALSE(is_of(told, model));
    EXPECT_TRUE(is_of(column_model(model), model));
}

TEST(CatalogModel, StandsInTheColumnsCommentAsItIsRead) {
    const std::string text = store::comment_text({.model = told, .second = store::SecondState::kept, .since = "now"});
    EXPECT_THAT(text, testing::HasSubstr(R"("by":"decant","provider":"ollama","model":"bge-m3")"));
    EXPECT_THAT(text, testing::HasSubstr(R"("second":"kept")"));
}

}  // namespace
}  // namespace decant::work
