// The provider against a real Ollama: DECANT_TEST_OLLAMA names its binary. DECANT_TEST_OLLAMA_GGUF names the file of an
// embedding model to give it; without one, its first model for embeddings is taken. Nothing is fetched.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <numeric>

#include "core/child_process.hpp"
#include "core/error.hpp"
#include "core/loopback_port.hpp"
#include "embed/checked_embedder.hpp"
#include "embed/ollama_embedder.hpp"
#include "embed/openai_embedder.hpp"
#include "tests/embed/contract.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/scratch_folder.hpp"

namespace decant::embed {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

/// One server for all tests, ended with them.
class RealOllama {
public:
    static RealOllama& shared() {
        static RealOllama server{variable("DECANT_TEST_OLLAMA")};
        return server;
    }

    RealOllama(const RealOllama&) = delete;
    RealOllama& operator=(const RealOllama&) = delete;
    ~RealOllama() {
        if (pid_ > 0) {
            ::kill(pid_, SIGTERM);
            ::waitpid(pid_, nullptr, 0);
        }
        fs::remove_all(folder_);
    }

    ServerOptions options() const { return {.url = fmt::format("http://{}", host_), .name = model_}; }

private:
    RealOllama()
        : folder_(test::make_scratch_folder("ollama")), host_(fmt::format("127.0.0.1:{}", free_loopback_port())) {}

    /// By way of the other constructor, so that the destructor ends the server when this throws.
    explicit RealOllama(std::string binary) : RealOllama() {
        binary_ = std::move(binary);
        environment_ = {"OLLAMA_HOST=" + host_};
        const std::string gguf = variable("DECANT_TEST_OLLAMA_GGUF");
        if (!gguf.empty()) environment_.push_back("HOME=" + folder_.string());  // its models and its key
        pid_ = start_daemon({.argv = {binary_, "serve"}, .environment = environment_}, folder_ / "log");
        const bool is_up = test::eventually(std::chrono::seconds{30}, [&] { return !is_down(); });
        if (!is_up) throw std::runtime_error("ollama serve does not come up");
        if (!gguf.empty()) create(gguf);
        find_model();
    }

    bool is_down() const {
        try {
            list_ollama(options());
            return false;
        } catch (const Error&) {
            return true;
        }
    }

    void create(const std::string& gguf) {
        std::ofstream{folder_ / "Modelfile"} << "FROM " << gguf << "\n";
        const ProgramResult made = run_program({.argv = {binary_, "create", "given", "-f", folder_ / "Modelfile"},
                                                .environment = environment_,
                                                .directory = folder_});
        if (made.exit_code != 0) throw std::runtime_error("ollama create: " + made.output);
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

    std::string binary_;
    fs::path folder_;
    std::string host_;
    std::vector<std::string> environment_;
    std::string model_;
    pid_t pid_ = -1;
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
