// The embedded models against onnxruntime on the same graphs: scripts/models/reference.py wrote the fixtures.

#include "embed/local_embedder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "core/error.hpp"
#include "embed/detail/tokenizer.hpp"
#include "embed/known_models.hpp"
#include "embed/model_folder.hpp"
#include "tests/embed/contract.hpp"

namespace decant::embed {
namespace {

namespace fs = std::filesystem;

const fs::path fixtures = fs::path{DECANT_SOURCE_DIR} / "tests/fixtures/embedding";

std::vector<std::string> lines_of(const fs::path& file) {
    std::ifstream in{file};
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);)
        lines.push_back(line);
    return lines;
}

std::vector<float> floats_of(const fs::path& file) {
    std::ifstream in{file, std::ios::binary};
    const std::string bytes{std::istreambuf_iterator<char>{in}, {}};
    std::vector<float> values(bytes.size() / sizeof(float));
    std::memcpy(values.data(), bytes.data(), values.size() * sizeof(float));
    return values;
}

double cosine(std::span<const float> a, std::span<const float> b) {
    double dot = 0;
    double left = 0;
    double right = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        dot += double{a[i]} * double{b[i]};
        left += double{a[i]} * double{a[i]};
        right += double{b[i]} * double{b[i]};
    }
    return dot / std::sqrt(left * right);
}

std::unique_ptr<Embedder> open(const std::string& name, bool is_float32 = false) {
    return open_local({.models = find_model_folder(std::nullopt), .name = name, .is_float32 = is_float32});
}

class LocalModel : public testing::TestWithParam<std::string> {};

TEST_P(LocalModel, CutsTextsIntoTheReferencesTokens) {
    const Model* model = find_known_model("local", GetParam());
    const detail::Tokenizer tokenizer{find_model_folder(std::nullopt) / GetParam() / "tokenizer.model"};
    const auto texts = lines_of(fixtures / "texts.txt");
    const auto expected = lines_of(fixtures / (GetParam() + ".tokens"));
    ASSERT_EQ(texts.size(), 200U);
    ASSERT_EQ(expected.size(), texts.size());
    for (std::size_t i = 0; i < texts.size(); ++i) {
        const std::string prefix{model->prefix(i % 2 == 0 ? Role::passage : Role::query)};
        std::ostringstream ids;
        for (const std::int64_t id : tokenizer.encode(prefix + texts[i], model->most_tokens).ids)
            ids << (ids.tellp() > 0 ? " " : "") << id;
        EXPECT_EQ(ids.str(), expected[i]) << texts[i];
    }
}

/// The least cosine between a text's vector and the reference's; of the 200 texts half are queries.
double least_cosine_to_reference(Embedder& model) {
    const auto texts = lines_of(fixtures / "texts.txt");
    const auto expected = floats_of(fixtures / (model.model().name + ".vectors"));
    const std::size_t dimension = model.model().dimension;
    EXPECT_EQ(expected.size(), 200 * dimension);
    double least = 1;
    for (const Role role : {Role::passage, Role::query}) {
        std::vector<std::string_view> asked;
        std::vector<std::span<const float>> references;
        for (std::size_t i = static_cast<std::size_t>(role); i < texts.size(); i += 2) {
            asked.emplace_back(texts[i]);
            references.push_back(std::span{expected}.subspan(i * dimension, dimension));
        }
        const auto vectors = model.embed(asked, role);
        for (std::size_t i = 0; i < asked.size(); ++i)
            least = std::min(least, cosine(vectors[i].values, references[i]));
    }
    return least;
}

TEST_P(LocalModel, GivesTheReferencesVectorsInBatchesTooWhereFloat32IsAsked) {
    EXPECT_GE(least_cosine_to_reference(*open(GetParam(), true)), 0.99999);
}

TEST_P(LocalModel, StaysWithinAThousandthOfTheReferencesVectorsAsShipped) {
    EXPECT_GE(least_cosine_to_reference(*open(GetParam())), 0.999);
}

TEST_P(LocalModel, CutsALongTextAtATokenAndCountsWhatItCut) {
    const auto model = open(GetParam());
    std::string text = "uno dos tres ";
    while (text.size() < 6000)
        text += "cuatro cinco seis ";
    const std::string longer = text + "siete";
    const std::vector<std::string_view> texts{text, longer, "uno dos tres"};
    const auto vectors = model->embed(texts, Role::passage);
    EXPECT_GT(vectors[0].cut_tokens, 0U);
    EXPECT_GT(vectors[1].cut_tokens, vectors[0].cut_tokens);
    EXPECT_EQ(vectors[2].cut_tokens, 0U);
    EXPECT_EQ(vectors[0].tokens, model->model().most_tokens);
    EXPECT_GT(vectors[2].tokens, 3U);
    EXPECT_LT(vectors[2].tokens, 16U);
    EXPECT_GE(cosine(vectors[0].values, vectors[1].values), 0.99999);
}

TEST_P(LocalModel, FindsTheProductThatAQuestionInAnotherLanguageIsAbout) {
    const auto model = open(GetParam());
    const std::vector<std::string_view> products{"Lavarropas automático de carga frontal", "Zapatillas para correr",
                                                 "Disco SSD NVMe de 1 TB"};
    const std::vector<std::string_view> question{"running shoes"};
    const auto stored = model->embed(products, Role::passage);
    const auto asked = model->embed(question, Role::query).front();
    std::vector<double> scores;
    for (const TextVector& vector : stored)
        scores.push_back(cosine(vector.values, asked.values));
    EXPECT_EQ(std::ranges::max_element(scores) - scores.begin(), 1);
    EXPECT_GE(scores[1], model->model().search_threshold.value());
}

INSTANTIATE_TEST_SUITE_P(Embedded, LocalModel, testing::Values("multilingual-e5-small", "use-multilingual"),
                         [](const auto& one) { return one.index == 0 ? "E5" : "Use"; });

INSTANTIATE_TEST_SUITE_P(Local, EmbedderContract,
                         testing::Values([] { return open("multilingual-e5-small"); },
                                         [] { return open("use-multilingual"); }));

TEST(OpenLocal, NamesWhatIsMissing) {
    EXPECT_THROW(open("e6"), Error);
    try {
        open_local({.models = "/nowhere"});
        FAIL() << "no error";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::config_invalid);
        EXPECT_EQ(error.happened(), "The model 'multilingual-e5-small' is not installed in /nowhere");
        EXPECT_EQ(error.remedy(), "run scripts/setup");
    }
}

}  // namespace
}  // namespace decant::embed
