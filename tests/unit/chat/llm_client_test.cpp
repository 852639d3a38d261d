// The client against the stand-in: what it sends, what it takes, and how it ends.

#include "chat/llm_client.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "chat/detail/served_llm.hpp"
#include "core/error.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/llm_server.hpp"

namespace decant::chat {
namespace {

using namespace std::chrono_literals;
using detail::LlmApi;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

std::unique_ptr<LlmClient> client_of(const test::LlmServer& server, LlmApi api,
                                     std::chrono::milliseconds timeout = 20s) {
    return std::make_unique<detail::ServedLlm>(
        detail::LlmSetup{.api = api,
                         .url = api == LlmApi::ollama ? server.url() : server.openai_url(),
                         .model = "qwen3:4b",
                         .timeout = timeout});
}

LlmRequest question(const std::string& text = "hola") {
    return {.messages = {{"system", "You sell tools."}, {"user", text}}};
}

Error failure_of(LlmClient& client, std::stop_token stop = {}) {
    try {
        const LlmReply reply = client.chat(question(), {}, std::move(stop));
        return {ErrorCode::internal, "no error: " + reply.text, ""};
    } catch (const Error& error) {
        return error;
    }
}

/// Of both APIs.
class EachLlmApi : public testing::TestWithParam<LlmApi> {
protected:
    std::unique_ptr<LlmClient> client(const test::LlmServer& server) const { return client_of(server, GetParam()); }
    std::string line(const std::string& piece) const {
        return GetParam() == LlmApi::ollama ? test::ollama_line(piece) : test::openai_event(piece);
    }
    test::LlmServer server_{test::always({"Ho", "la, ", "señora"})};
};

INSTANTIATE_TEST_SUITE_P(Apis, EachLlmApi, testing::Values(LlmApi::ollama, LlmApi::openai),
                         [](const auto& api) { return api.param == LlmApi::ollama ? "Ollama" : "OpenAI"; });

TEST_P(EachLlmApi, GivesTheAnswerInPiecesAndAsAWhole) {
    std::vector<std::string> pieces;
    const LlmReply reply =
        client(server_)->chat(question(), [&](std::string_view piece, bool) { pieces.emplace_back(piece); }, {});
    EXPECT_THAT(pieces, testing::ElementsAre("Ho", "la, ", "señora"));
    EXPECT_EQ(reply.text, "Hola, señora");
    EXPECT_EQ(reply.prompt_tokens, 26U);
    EXPECT_EQ(reply.answer_tokens, 7U);
    EXPECT_THAT(server_.violations(), IsEmpty());
}

TEST_P(EachLlmApi, AsksForTheSchemaAndTheMeasureOfTheRequest) {
    LlmRequest request = question("taladro \xff");
    request.schema = json::object{{"type", "object"}};
    request.temperature = 0.5;
    request.most_tokens = 64;
    client(server_)->chat(request, {}, {});
    EXPECT_THAT(server_.violations(), IsEmpty());
    const std::string body = server_.http().requests().at(0).body;
    EXPECT_THAT(body, AllOf(HasSubstr(R"({"role":"user","content":"taladro �"})"), HasSubstr(R"({"type":"object"})"),
                            HasSubstr(R"("temperature":0.5)"), HasSubstr(":64")));
}

TEST_P(EachLlmApi, SaysThatTheModelIsMissing) {
    const test::LlmServer other{test::always({"x"}), "llama3.2"};
    const auto asked = client(other);
    const Error error = failure_of(*asked);
    EXPECT_EQ(error.code(), ErrorCode::not_found);
    EXPECT_THAT(error.happened(), HasSubstr("'qwen3:4b'"));
    EXPECT_THAT(error.remedy(), HasSubstr(GetParam() == LlmApi::ollama ? "ollama pull qwen3:4b" : "DECANT_LLM_MODEL"));
}

struct Refusal {
    int status;
    std::string body;
    ErrorCode code;
};

TEST_P(EachLlmApi, GivesEachRefusalItsCodeAndAsksOnce) {
    const std::vector<Refusal> refusals{
        {503, R"({"error":"server busy, please try again.  maximum pending requests exceeded"})",
         ErrorCode::overloaded},
        {429, R"({"error":{"message":"Rate limit reached"}})", ErrorCode::overloaded},
        {429, R"({"error":{"message":"You exceeded your current quota"}})", ErrorCode::rate_limited},
        {401, R"({"error":{"message":"Incorrect API key provided"}})", ErrorCode::unauthenticated},
        {403, "<html>forbidden</html>", ErrorCode::permission_denied},
        {400, R"({"error":"\"all-minilm\" does not support chat"})", ErrorCode::config_invalid},
        {400, R"({"error":"invalid format"})", ErrorCode::request_invalid},
        {404, "404 page not found", ErrorCode::config_invalid},
        {302, "", ErrorCode::config_invalid},
        {500, R"({"error":"llama runner process has terminated"})", ErrorCode::embedder_unavailable},
        {500, R"({"error":"model runner not found"})", ErrorCode::not_found},
        {502, "<html>bad gateway</html>", ErrorCode::embedder_unavailable},
    };
    const auto asked = client(server_);
    for (const Refusal& refusal : refusals) {
        const std::size_t before = server_.http().requests().size();
        server_.set_fault(
            [&](const auto&) { return test::StandInAnswer{.status = refusal.status, .body = refusal.body}; });
        EXPECT_EQ(failure_of(*asked).code(), refusal.code) << refusal.status << " " << refusal.body;
        EXPECT_EQ(server_.http().requests().size(), before + 1);
    }
    server_.set_fault({});
    EXPECT_EQ(asked->chat(question(), {}, {}).text, "Hola, señora") << "the client goes on";
}

TEST_P(EachLlmApi, TakesNoPartOfAnAnswerForAllOfIt) {
    const auto asked = client(server_);
    for (const bool is_cut_in_the_middle_of_a_line : {false, true}) {
        server_.set_fault([&](const auto&) {
            const std::string all = line("El taladro cuesta $1") + line("500");
            return test::StandInAnswer{.body = all + std::string(100, ' '),
                                       .cut_after = all.size() - (is_cut_in_the_middle_of_a_line ? 9 : 0)};
        });
        EXPECT_EQ(failure_of(*asked).code(), ErrorCode::embedder_unavailable);
        server_.set_fault([&](const auto&) { return test::StandInAnswer{.chunks = {line("El taladro cuesta $1")}}; });
        const Error error = failure_of(*asked);
        EXPECT_EQ(error.code(), ErrorCode::embedder_unavailable) << "the stream ends, the answer does not";
        EXPECT_THAT(error.happened(), HasSubstr("breaks off"));
    }
}

TEST_P(EachLlmApi, TakesAnErrorInTheMiddleOfTheStream) {
    const std::string error = R"({"error":"an error was encountered while running the model: unexpected EOF"})";
    server_.set_fault([&](const auto&) {
        return test::StandInAnswer{
            .chunks = {line("El "), GetParam() == LlmApi::ollama ? error + "\n" : "data: " + error + "\n\n"}};
    });
    const auto asked = client(server_);
    const Error failure = failure_of(*asked);
    EXPECT_EQ(failure.code(), ErrorCode::embedder_unavailable);
    EXPECT_THAT(failure.happened(), HasSubstr("unexpected EOF"));
}

TEST_P(EachLlmApi, RefusesWhatIsNoSuchStream) {
    const auto asked = client(server_);
    for (const std::string body :
         {"<!DOCTYPE html>\n<title>Router</title>\n", "{\"ok\":true}\n", "\x01\x02\n", "[1]\n"}) {
        server_.set_fault([&](const auto&) { return test::StandInAnswer{.body = body}; });
        EXPECT_EQ(failure_of(*asked).code(), ErrorCode::config_invalid) << body;
    }
}

TEST_P(EachLlmApi, HoldsNoMoreThanAnAnswerMayHave) {
    const auto asked = client(server_);
    const std::size_t most = detail::LlmStream::most_answer_bytes;
    server_.set_fault([&](const auto&) {
        return test::StandInAnswer{.chunks = {line(std::string(most, 'x')), line("y"), line("z")}, .is_withheld = true};
    });
    EXPECT_EQ(failure_of(*asked).code(), ErrorCode::too_large);
    server_.set_fault([&](const auto&) {
        return test::StandInAnswer{.chunks = std::vector<std::string>(5, std::string(most, 'x')), .is_withheld = true};
    });
    EXPECT_EQ(failure_of(*asked).code(), ErrorCode::too_large) << "a line without an end";
}

TEST_P(EachLlmApi, EndsWithinASecondOfBeingStopped) {
    const std::vector<test::StandInAnswer> silent{{.is_withheld = true},
                                                  {.chunks = {line("El "), line("taladro")}, .is_withheld = true}};
    for (const test::StandInAnswer& answer : silent) {
        test::LlmServer server{test::always({})};
        server.set_fault([&](const auto&) { return answer; });
        std::stop_source source;
        std::chrono::steady_clock::time_point stopped;
        const auto asked = client(server);
        std::jthread other{[&] {
            test::eventually(10s, [&] { return !server.http().requests().empty(); });
            stopped = std::chrono::steady_clock::now();
            source.request_stop();
        }};
        EXPECT_EQ(failure_of(*asked, source.get_token()).code(), ErrorCode::cancelled);
        other.join();
        EXPECT_LT(std::chrono::steady_clock::now() - stopped, 1s);
    }
}

TEST_P(EachLlmApi, EndsWhenTheServerIsSilentOrTakesTooLong) {
    server_.set_fault([&](const auto&) { return test::StandInAnswer{.is_withheld = true}; });
    const auto asked = client_of(server_, GetParam(), 200ms);
    EXPECT_EQ(failure_of(*asked).code(), ErrorCode::timed_out);
    server_.set_fault([&](const auto&) {
        return test::StandInAnswer{.chunks = std::vector<std::string>(60, line("x")), .chunk_pause = 10ms};
    });
    const Error late = failure_of(*asked);
    EXPECT_EQ(late.code(), ErrorCode::timed_out) << "it goes on and on";
    EXPECT_THAT(late.remedy(), HasSubstr("DECANT_LLM_TIMEOUT"));
}

TEST_P(EachLlmApi, ThrowsOnWhatItsListenerThrowsAndGoesOnAfterwards) {
    const auto asked = client(server_);
    const auto throws = [](std::string_view, bool) { throw Error{ErrorCode::conflict, "the listener has left", ""}; };
    try {
        asked->chat(question(), throws, {});
        FAIL() << "no error";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::conflict);
    }
    EXPECT_EQ(asked->chat(question(), {}, {}).text, "Hola, señora");
}

TEST(OpenaiLlm, SendsItsKeyAndNeverShowsIt) {
    test::LlmServer server{test::always({"hola"})};
    server.require_key("sk-secret");
    const auto open = [&](const std::string& key) {
        return open_llm(Settings::from({}, {{"DECANT_LLM", "openai"},
                                            {"OPENAI_BASE_URL", server.openai_url()},
                                            {"OPENAI_API_KEY", key},
                                            {"DECANT_LLM_MODEL", "qwen3:4b"}}));
    };
    EXPECT_EQ(open("sk-secret")->chat(question(), {}, {}).text, "hola");
    const auto other = open("sk-other");
    const Error error = failure_of(*other);
    EXPECT_EQ(error.code(), ErrorCode::unauthenticated);
    EXPECT_THAT(error.happened() + error.remedy(),
                AllOf(HasSubstr("OPENAI_API_KEY"), testing::Not(HasSubstr("sk-other"))));
}

TEST(OpenaiLlm, CountsAsTheNewerModelsWantIt) {
    test::LlmServer server{test::always({"hola"})};
    server.require_completion_tokens();
    const auto asked = client_of(server, LlmApi::openai);
    EXPECT_EQ(asked->chat(question(), {}, {}).text, "hola");
    EXPECT_EQ(asked->chat(question(), {}, {}).text, "hola");
    EXPECT_EQ(server.http().requests().size(), 3U) << "it is told once";
    EXPECT_THAT(server.violations(), IsEmpty());
}

TEST(OpenLlm, ChoosesAsTheSettingsSay) {
    const auto model = [](const Settings::Variables& variables) {
        const auto client = open_llm(Settings::from({}, variables));
        return client ? client->model() : "none";
    };
    EXPECT_EQ(model({}), "none");
    EXPECT_EQ(model({{"OLLAMA_API_URL", "http://localhost:11434"}}), "none");
    EXPECT_EQ(model({{"OLLAMA_API_MODEL", "qwen3:4b"}}), "qwen3:4b");
    EXPECT_EQ(model({{"OLLAMA_API_MODEL", "qwen3:4b"}, {"DECANT_LLM", "none"}}), "none");
    EXPECT_EQ(model({{"OLLAMA_API_MODEL", "a"}, {"DECANT_LLM", "openai"}, {"DECANT_LLM_MODEL", "b"}}), "b");
    EXPECT_EQ(model({{"DECANT_LLM", "ollama"}, {"OLLAMA_API_MODEL", "a"}, {"DECANT_LLM_MODEL", "b"}}), "a");
}

TEST(OpenLlm, NamesTheSettingThatIsMissing) {
    const auto complaint = [](const Settings::Variables& variables) {
        try {
            open_llm(Settings::from({}, variables));
        } catch (const Error& error) {
            return std::string{traits_of(error.code()).name} + " " + error.happened() + " " + error.remedy();
        }
        return std::string{"none"};
    };
    EXPECT_THAT(complaint({{"DECANT_LLM", "ollama"}}),
                AllOf(HasSubstr("config_invalid"), HasSubstr("OLLAMA_API_MODEL")));
    EXPECT_THAT(complaint({{"DECANT_LLM", "openai"}}),
                AllOf(HasSubstr("config_invalid"), HasSubstr("DECANT_LLM_MODEL")));
    EXPECT_THAT(complaint({{"OLLAMA_API_MODEL", "a"}, {"OLLAMA_API_URL", "localhost"}}), HasSubstr("OLLAMA_API_URL"));
}

}  // namespace
}  // namespace decant::chat
