#include "catalog/embedding_text.hpp"

#include <gtest/gtest.h>

#include "core/utf8.hpp"

namespace decant::catalog {
namespace {

const Product laptop{
    .name = "ThinkPad T14",
    .model = "Gen 3",
    .specs = "16 GB, SSD 512 GB",
    .description = "Notebook para la empresa\n",
    .category = "laptops",
    .category_display_name = "Notebooks",
    .brand = "Lenovo",
    .technical_specs = R"({"Procesador": "i7", "Memoria": 16, "Puertos": ["HDMI", "USB-C"], "Color": null})",
    .features = R"(["Wi-Fi 6", "Cámara HD"])"};

std::string labelled(const Product& product) {
    return embedding_text(product, TextRecipe::labelled);
}

TEST(EmbeddingText, NamesEveryFieldInTheGuidesOrder) {
    EXPECT_EQ(labelled(laptop),
              "Product: ThinkPad T14. Brand: Lenovo. Category: Notebooks. Model: Gen 3. Description: Notebook para la "
              "empresa. Specifications: 16 GB, SSD 512 GB. Technical: Procesador: i7, Memoria: 16, Puertos: HDMI, "
              "USB-C. Features: Wi-Fi 6, Cámara HD");
}

TEST(EmbeddingText, LeavesOutEmptyFieldsAndCutsTheDescriptionAt500Characters) {
    const Product drill{.name = "Taladro 750W", .specs = "  ", .description = std::string(600, 'x'), .features = "[]"};
    EXPECT_EQ(labelled(drill), "Product: Taladro 750W. Description: " + std::string(500, 'x'));
}

TEST(EmbeddingText, CutsTheSpecificationsAt300CharactersAndNeverACharacterInTwo) {
    std::string letters;
    for (int i = 0; i < 301; ++i)
        letters += "ñ";
    const std::string text = labelled({.specs = letters});
    EXPECT_EQ(text, "Specifications: " + letters.substr(0, 600));
    EXPECT_EQ(valid_utf8(text), text);
}

TEST(EmbeddingText, FallsBackToTheCategorysNameAndTakesTextThatIsNoJsonAsItIs) {
    EXPECT_EQ(labelled({.category = "laptops", .category_display_name = " ", .features = "HDMI"}),
              "Category: laptops. Features: HDMI");
}

TEST(EmbeddingText, IsEmptyForAProductThatSaysNothing) {
    EXPECT_EQ(labelled({.name = "  ", .technical_specs = R"({"a": {}})"}), "");
}

TEST(EmbeddingText, OfTitleFirstRepeatsTheNameAndKeeps25WordsOfTheDescription) {
    std::string words = "uno";
    for (int i = 1; i < 30; ++i)
        words += " \n" + std::to_string(i);
    Product product = laptop;
    product.description = words;
    EXPECT_EQ(embedding_text(product, TextRecipe::title_first),
              "ThinkPad T14. ThinkPad T14. Lenovo. Notebooks. " + words.substr(0, words.find(" \n25")));
}

TEST(EmbeddingHash, DependsOnTheModelAndOnTheTextEachByItself) {
    EXPECT_EQ(embedding_hash("model", "text"), embedding_hash("model", "text"));
    EXPECT_NE(embedding_hash("model", "text"), embedding_hash("model", "texts"));
    EXPECT_NE(embedding_hash("model", "text"), embedding_hash("modelt", "ext"));
}

TEST(FirstCharacters, CountsCharactersNotBytes) {
    EXPECT_EQ(first_characters("añ€😀x", 4), "añ€😀");
    EXPECT_EQ(first_characters("añ", 9), "añ");
    EXPECT_EQ(first_characters("\xC3zz", 2), "\xC3z");
}

}  // namespace
}  // namespace decant::catalog
