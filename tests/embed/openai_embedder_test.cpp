#include "embed/openai_embedder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "core/error.hpp"
#include "embed/checked_embedder.hpp"
#include "tests/embed/contract.hpp"
#include "tests/support/fake_ollama.hpp"

namespace decant::embed {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using test::FakeOllama;
using test::StandInAnswer;
using test::StandInRequest;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

ServerOptions options_for(const FakeOllama& server, const std::string& name = "text-embedding-3-small") {
    return {.url = server.url() + "/v1/", .name = name, .patience = {.idle = 5s, .total = 10s, .first_pause = 1ms}};
}

using Texts = std::vector<std::string_view>;
const Texts four{"lijas", "palas", "picos", "tubos"};

Error error_of(const ServerOptions& options) {
    try {
        const auto embedder = open_openai(options);
        CheckedEmbedder{*embedder}.embed(four, Role::passage);
    } catch (const Error& error) {
        return error;
    }
    return {ErrorCode::internal, "no error", ""};
}

test::FakeModel small_model() {
    return {.name = "text-embedding-3-small", .dimension = 1536};
}

INSTANTIATE_TEST_SUITE_P(OpenAi, EmbedderContract, testing::Values([] {
                             static FakeOllama server{small_model()};
                             return open_openai(options_for(server));
                         }));

TEST(OpenAi, SendsTheKeyOnlyWhereOneIsSet) {
    FakeOllama server{small_model()};
    ServerOptions options = options_for(server);
    open_openai(options)->embed(four, Role::passage);
    EXPECT_FALSE(server.http().requests().back().headers.contains("authorization"));
    server.require_key("sk-1");
    EXPECT_EQ(error_of(options).code(), ErrorCode::unauthenticated);
    EXPECT_EQ(error_of(options).remedy(), "Set OPENAI_API_KEY, or OPENAI_API_KEY_FILE.");
    options.key = "sk-2";
    EXPECT_EQ(error_of(options).remedy(), "Check OPENAI_API_KEY.");
    options.key = "sk-1";
    EXPECT_EQ(open_openai(options)->embed(four, Role::passage).size(), 4U);
    EXPECT_THAT(server.violations(), IsEmpty());
}

TEST(OpenAi, AsksAnUnknownModelForItsDimensionAndAKnownOneForNothing) {
    FakeOllama server{small_model()};
    server.put({.name = "ours", .dimension = 12});
    EXPECT_EQ(open_openai(options_for(server))->model().dimension, 1536U);
    EXPECT_EQ(server.count("/v1"), 0U);
    EXPECT_EQ(open_openai(options_for(server, "ours"))->model().dimension, 12U);
    EXPECT_EQ(server.count("/v1"), 1U);
}

TEST(OpenAi, AsksForTheDimensionThatIsSet) {
    FakeOllama server{small_model()};
    ServerOptions options = options_for(server);
    options.settings.dimension = 256;
    const auto embedder = open_openai(options);
    EXPECT_EQ(embedder->model().dimension, 256U);
    EXPECT_EQ(embedder->embed(four, Role::query).front().values.size(), 256U);
    EXPECT_THAT(server.http().requests().back().body, HasSubstr(R"("dimensions":256)"));
}

TEST(OpenAi, GivesAModelThatOllamaHasTooItsPrefixes) {
    FakeOllama server{{.name = "nomic-embed-text"}};
    open_openai(options_for(server, "nomic-embed-text"))->embed(Texts{"taladro"}, Role::query);
    EXPECT_THAT(server.http().requests().back().body, HasSubstr("search_query: taladro"));
}

TEST(OpenAi, IsAnotherModelAtAnotherAddress) {
    FakeOllama one{small_model()};
    FakeOllama two{small_model()};
    EXPECT_NE(open_openai(options_for(one))->model().fingerprint(),
              open_openai(options_for(two))->model().fingerprint());
}

TEST(OpenAi, CutsATextThatIsTooLong) {
    FakeOllama server{{.name = "ours", .dimension = 8, .context = 100}};
    const auto embedder = open_openai(options_for(server, "ours"));
    std::string longer;
    while (longer.size() < 4000)
        longer += "uno dos ";
    EXPECT_GT(embedder->embed(Texts{"corto", longer}, Role::passage)[1].cut_tokens, 0U);
}

struct Refusal {
    std::string name;
    StandInAnswer answer;
    ErrorCode code;
    std::string remedy;
    std::size_t requests;
};

class OpenAiRefusal : public testing::TestWithParam<Refusal> {};

TEST_P(OpenAiRefusal, SaysWhatToDo) {
    FakeOllama server{small_model()};
    server.set_fault([](const StandInRequest&) { return GetParam().answer; });
    const Error error = error_of(options_for(server));
    EXPECT_EQ(error.code(), GetParam().code) << error.happened();
    EXPECT_THAT(error.remedy(), HasSubstr(GetParam().remedy));
    EXPECT_EQ(server.count("/v1"), GetParam().requests);
}

StandInAnswer refusal(int status, const std::string& message, const std::string& code = "") {
    return {.status = status,
            .body = json::serialize(json::object{{"error", {{"message", message}, {"code", code}}}}),
            .headers = {"Retry-After: 0"}};
}

INSTANTIATE_TEST_SUITE_P(
    , OpenAiRefusal,
    testing::Values(
        Refusal{"Forbidden", refusal(403, "Country not supported"), ErrorCode::permission_denied, "OPENAI_API_KEY", 1},
        Refusal{"NoModel", refusal(404, "The model `x` does not exist or you do not have access to it."),
                ErrorCode::not_found, "DECANT_EMBEDDING_MODEL", 1},
        Refusal{"NoApi", {.status = 404, .body = "<html>Not Found"}, ErrorCode::config_invalid, "OPENAI_BASE_URL", 1},
        Refusal{"Redirect", {.status = 308}, ErrorCode::config_invalid, "OPENAI_BASE_URL", 1},
        Refusal{"RateLimit", refusal(429, "Rate limit reached"), ErrorCode::overloaded, "later", 4},
        Refusal{"Quota", refusal(429, "You exceeded your current quota", "insufficient_quota"), ErrorCode::rate_limited,
                "credit", 1},
        Refusal{"Dimensions", refusal(400, "This model does not support specifying dimensions."),
                ErrorCode::config_invalid, "DECANT_EMBEDDING_DIMENSIONS", 1},
        Refusal{"Outage", refusal(502, "Bad gateway"), ErrorCode::embedder_unavailable, "again", 4},
        Refusal{"OtherForm", {.body = R"({"embeddings":[]})"}, ErrorCode::config_invalid, "OPENAI_BASE_URL", 1}),
    [](const auto& one) { return one.param.name; });

// E3

/// The entries of "data" for four texts, as a test wants them.
StandInAnswer entries(const std::vector<std::size_t>& indexes) {
    json::array data;
    for (const std::size_t index : indexes) {
        json::array vector(1536, 0.0);
        vector[index] = 1.0;
        data.push_back({{"index", index}, {"embedding", std::move(vector)}});
    }
    return {.body = json::serialize(json::object{{"data", std::move(data)}})};
}

std::vector<Outcome> answered_first(const StandInAnswer& answer) {
    FakeOllama server{small_model()};
    server.set_fault([=, is_first = true](const StandInRequest&) mutable -> std::optional<StandInAnswer> {
        if (!std::exchange(is_first, false)) return std::nullopt;
        return answer;
    });
    const auto embedder = open_openai(options_for(server));
    return CheckedEmbedder{*embedder}.embed(four, Role::passage);
}

TEST(OpenAiFault, E3_PutsVectorsInTheOrderOfTheirIndexes) {
    const auto outcomes = answered_first(entries({2, 0, 3, 1}));
    for (std::size_t i = 0; i < four.size(); ++i)
        EXPECT_EQ(std::get<TextVector>(outcomes[i]).values[i], 1.0F);
}

TEST(OpenAiFault, E3_ThrowsAwayAnAnswerWhoseIndexesAreTwiceOrBeyond) {
    const FakeOllama server{small_model()};
    const auto right = open_openai(options_for(server))->embed(four, Role::passage);
    for (const auto& indexes : std::vector<std::vector<std::size_t>>{{0, 1, 1, 2}, {0, 1, 2, 7}, {0, 1, 2}, {}}) {
        const auto outcomes = answered_first(entries(indexes));
        for (std::size_t i = 0; i < four.size(); ++i)
            EXPECT_EQ(std::get<TextVector>(outcomes[i]).values, right[i].values);
    }
}

}  // namespace
}  // namespace decant::embed
