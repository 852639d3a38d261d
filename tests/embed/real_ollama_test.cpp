// The provider against a real Ollama: DECANT_TEST_OLLAMA names its binary. DECANT_TEST_OLLAMA_GGUF names the file of an
// embedding model to give it; without one, its first model for embeddings is taken. Nothing is fetched.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "core/error.hpp"
#include "embed/checked_embedder.hpp"
#include "embed/ollama_embedder.hpp"
#include "embed/openai_embedder.hpp"
#include "tests/embed/contract.hpp"
#include "tests/support/ollama_process.hpp"

namespace decant::embed {
namespace {

using test::variable;
using testing::HasSubstr;

/// One server for all tests, ended with them.
class RealOllama {
public:
    static RealOllama& shared() {
        static RealOllama server;
        return server;
    }

    ServerOptions options() const { return {.url = process_.url(), .name = model_}; }

private:
    RealOllama() : process_(variable("DECANT_TEST_OLLAMA"), !variable("DECANT_TEST_OLLAMA_GGUF").empty()) {
        const std::string gguf = variable("DECANT_TEST_OLLAMA_GGUF");
        if (!gguf.empty()) process_.create("given", gguf);
        find_model();
    }

    void find_model() {
        for (const OllamaModel& each : list_ollama(options())) {
            model_ = each.name;
            try {
                open_ollama(options());
                return;
            } catch (const Error&) {
                model_.clear();
            }
        }
        throw std::runtime_error(
            "Ollama has no model for embeddings: pull one, or name a file in DECANT_TEST_OLLAMA_GGUF");
    }

    test::OllamaProcess process_;
    std::string model_;
};

class RealOllamaTest : public testing::Test {
protected:
    void SetUp() override {
        if (variable("DECANT_TEST_OLLAMA").empty()) GTEST_SKIP() << "DECANT_TEST_OLLAMA names no Ollama";
    }
};

using Opens = EmbedderContract::ParamType;

std::vector<Opens> real_ones() {
    if (variable("DECANT_TEST_OLLAMA").empty()) return {};
    return {[] { return open_ollama(RealOllama::shared().options()); }};
}

INSTANTIATE_TEST_SUITE_P(RealOllama, EmbedderContract, testing::ValuesIn(real_ones()));

double cosine(const TextVector& a, const TextVector& b) {
    return std::inner_product(a.values.begin(), a.values.end(), b.values.begin(), 0.0);
}

TEST_F(RealOllamaTest, GivesTheSameVectorsByBothApis) {
    ServerOptions options = RealOllama::shared().options();
    const auto ollama = open_ollama(options);
    options.url += "/v1";
    const auto openai = open_openai(options);
    EXPECT_EQ(openai->model().dimension, ollama->model().dimension);
    const std::vector<std::string_view> texts{"Taladro percutor 750 W", "Notebook de 14 pulgadas", "ñandú 😀"};
    const auto by_ollama = CheckedEmbedder{*ollama}.embed(texts, Role::passage);
    const auto by_openai = CheckedEmbedder{*openai}.embed(texts, Role::passage);
    for (std::size_t i = 0; i < texts.size(); ++i)
        EXPECT_GE(cosine(std::get<TextVector>(by_ollama[i]), std::get<TextVector>(by_openai[i])), 0.9999);
}

TEST_F(RealOllamaTest, CutsATextThatIsTooLongAndCountsWhatItCut) {
    const auto embedder = open_ollama(RealOllama::shared().options());
    ASSERT_GT(embedder->model().most_tokens, 0U);
    std::string longer;
    while (longer.size() < embedder->model().most_tokens * 20)
        longer += "taladro percutor de mano con maletín ";
    const auto vectors = embedder->embed(std::vector<std::string_view>{"corto", longer}, Role::passage);
    EXPECT_EQ(vectors[0].cut_tokens, 0U);
    EXPECT_GT(vectors[1].cut_tokens, embedder->model().most_tokens);
}

TEST_F(RealOllamaTest, SaysHowToPullAModelThatIsMissing) {
    ServerOptions options = RealOllama::shared().options();
    options.name = "no-such-model";
    try {
        open_ollama(options);
        FAIL() << "no error";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::not_found);
        EXPECT_THAT(error.remedy(), HasSubstr("ollama pull no-such-model"));
    }
}

}  // namespace
}  // namespace decant::embed
