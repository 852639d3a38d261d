// The client against a real Ollama: DECANT_TEST_OLLAMA names its binary, DECANT_TEST_OLLAMA_CHAT_GGUF the file of a
// model that chats, however badly. Nothing is fetched.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <chrono>

#include "chat/detail/served_llm.hpp"
#include "core/error.hpp"
#include "tests/support/ollama_process.hpp"

namespace decant::chat {
namespace {

using test::variable;

class RealLlm : public testing::TestWithParam<detail::LlmApi> {
protected:
    void SetUp() override {
        const std::string binary = variable("DECANT_TEST_OLLAMA");
        const std::string gguf = variable("DECANT_TEST_OLLAMA_CHAT_GGUF");
        if (binary.empty() || gguf.empty())
            GTEST_SKIP() << "DECANT_TEST_OLLAMA and DECANT_TEST_OLLAMA_CHAT_GGUF name no Ollama and no model";
        ollama_ = std::make_unique<test::OllamaProcess>(binary, true);
        ollama_->create("talks", gguf);
    }

    std::unique_ptr<LlmClient> client(const std::string& model = "talks") const {
        return std::make_unique<detail::ServedLlm>(
            detail::LlmSetup{.api = GetParam(),
                             .url = ollama_->url() + (GetParam() == detail::LlmApi::openai ? "/v1" : ""),
                             .model = model,
                             .timeout = std::chrono::seconds{120}});
    }

    LlmRequest request(std::size_t most_tokens) const {
        return {.messages = {{"system", "You are brief."}, {"user", "Name a tool — ¿taladro? \"quoted\""}},
                .most_tokens = most_tokens};
    }

    std::unique_ptr<test::OllamaProcess> ollama_;
};

INSTANTIATE_TEST_SUITE_P(Apis, RealLlm, testing::Values(detail::LlmApi::ollama, detail::LlmApi::openai),
                         [](const auto& api) { return api.param == detail::LlmApi::ollama ? "Ollama" : "OpenAI"; });

TEST_P(RealLlm, StreamsAnAnswerAndCountsItsTokens) {
    std::string shown;
    std::size_t pieces = 0;
    const auto on_text = [&](std::string_view piece, bool) {
        shown += piece;
        ++pieces;
    };
    const LlmReply reply = client()->chat(request(24), on_text, {});
    EXPECT_FALSE(reply.text.empty());
    EXPECT_EQ(shown, reply.text);
    EXPECT_GT(pieces, 1U);
    EXPECT_GT(reply.prompt_tokens, 10U);
    EXPECT_GT(reply.answer_tokens, 0U);
    EXPECT_LE(reply.answer_tokens, 24U);
}

TEST_P(RealLlm, HoldsTheAnswerToTheSchema) {
    LlmRequest asked = request(200);
    asked.schema = json::object{{"type", "object"},
                                {"properties", {{"intent", {{"type", "string"}, {"enum", {"greeting", "other"}}}}}},
                                {"required", {"intent"}}};
    const json::value answer = json::parse(client()->chat(asked, {}, {}).text);
    EXPECT_THAT(std::string{answer.at("intent").as_string()}, testing::AnyOf("greeting", "other"));
}

TEST_P(RealLlm, SaysWhichModelIsMissing) {
    try {
        client("no-such-model")->chat(request(8), {}, {});
        FAIL() << "no error";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::not_found);
        EXPECT_THAT(error.happened(), testing::HasSubstr("no-such-model"));
    }
}

TEST_P(RealLlm, StopsInTheMiddleAndTalksAgain) {
    const auto talks = client();
    std::stop_source source;
    std::chrono::steady_clock::time_point stopped;
    const auto on_text = [&](std::string_view, bool) {
        if (!source.stop_requested()) stopped = std::chrono::steady_clock::now();
        source.request_stop();
    };
    LlmRequest endless = request(4'000);
    endless.messages.back().content = "Count from one to a thousand in words.";
    try {
        talks->chat(endless, on_text, source.get_token());
        FAIL() << "no error";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::cancelled);
        EXPECT_LT(std::chrono::steady_clock::now() - stopped, std::chrono::seconds{1});
    }
    EXPECT_FALSE(talks->chat(request(8), {}, {}).text.empty());
}

}  // namespace
}  // namespace decant::chat
