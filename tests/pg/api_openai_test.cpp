// OpenAI's API of embeddings, answered by the server's model: as OpenAI's documents show it, and as our own client of
// such servers asks.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base64.hpp"
#include "embed/openai_embedder.hpp"
#include "tests/support/api_case.hpp"

namespace decant::api {
namespace {

using test::body_of;
using test::SmallEmbedder;
using testing::HasSubstr;

const std::string path = "/v1/embeddings";

class ApiOpenAi : public testing::Test {
protected:
    static void SetUpTestSuite() { with_ = new test::ApiCase; }
    static void TearDownTestSuite() { delete with_; }

    static json::object answer(const std::string& body, const std::vector<std::string>& headers = {}) {
        const net::HttpResponse response = with_->post(path, body, headers);
        EXPECT_EQ(response.status, 200) << response.body;
        return body_of(response);
    }
    static std::vector<float> vector_at(const json::object& answer, std::size_t place) {
        std::vector<float> values;
        for (const json::value& value : answer.at("data").at(place).at("embedding").as_array())
            values.push_back(static_cast<float>(value.to_number<double>()));
        return values;
    }

    static inline test::ApiCase* with_ = nullptr;
};

TEST_F(ApiOpenAi, EmbedsOneTextOrSeveralInTheirOrder) {
    const json::object one = answer(R"({"input": "lijas", "model": "small"})");
    EXPECT_EQ(one.at("object"), "list");
    EXPECT_EQ(one.at("model"), "small");
    EXPECT_EQ(one.at("data").at(0).at("object"), "embedding");
    EXPECT_EQ(vector_at(one, 0), SmallEmbedder::vector_of("passage: lijas").values) << "to the last digit";
    const json::object two = answer(R"({"input": ["palas", "picos"], "model": "small", "encoding_format": "float"})");
    ASSERT_EQ(two.at("data").as_array().size(), 2U);
    EXPECT_EQ(two.at("data").at(1).at("index"), json::value(1));
    EXPECT_EQ(vector_at(two, 1), SmallEmbedder::vector_of("passage: picos").values);
    EXPECT_EQ(two.at("usage"), (json::object{{"prompt_tokens", 0}, {"total_tokens", 0}})) << "this model tells none";
}

TEST_F(ApiOpenAi, EmbedsQuestionsWhereTheHeaderSaysSo) {
    EXPECT_EQ(vector_at(answer(R"({"input": "lijas", "model": "small"})", {"X-Decant-Role: query"}), 0),
              SmallEmbedder::vector_of("query: lijas").values);
    EXPECT_EQ(with_->post(path, R"({"input": "a", "model": "small"})", {"X-Decant-Role: other"}).status, 422);
}

TEST_F(ApiOpenAi, GivesTheSameNumbersAsBase64OfFloats) {
    const json::object plain = answer(R"({"input": "lijas", "model": "small"})");
    const json::object packed = answer(R"({"input": "lijas", "model": "small", "encoding_format": "base64"})");
    const std::vector<float> values = vector_at(plain, 0);
    EXPECT_EQ(packed.at("data").at(0).at("embedding"),
              json::value(base64({reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)})));
}

TEST_F(ApiOpenAi, RefusesInOpenAisShape) {
    struct Refused {
        std::string body;
        int status;
        std::string message;
        std::string type = "invalid_request_error";
    };
    for (const Refused& refused :
         {Refused{R"({"model": "small"})", 400, "/input is missing"},
          Refused{R"({"input": "", "model": "small"})", 422, "input 0 cannot be embedded"},
          Refused{R"({"input": [], "model": "small"})", 422, "/input"},
          Refused{R"({"input": [1, 2], "model": "small"})", 400, "/input/0"},
          Refused{R"({"input": " ", "model": "small"})", 422, "input 0 cannot be embedded"},
          Refused{R"({"input": "a", "model": "gpt"})", 404, "'small'"},
          Refused{R"({"input": "a", "model": "small", "dimensions": 4})", 422, "8 dimensions"},
          Refused{R"({"input": "a", "model": "small", "other": 4})", 400, "/other"},
          Refused{R"({"input": "a", "model": "small", "encoding_format": "int8"})", 422, "float, base64"}}) {
        const net::HttpResponse response = with_->post(path, refused.body);
        EXPECT_EQ(response.status, refused.status) << response.body;
        EXPECT_EQ(response.headers.at("content-type"), "application/json");
        const json::object error = body_of(response).at("error").as_object();
        EXPECT_THAT(std::string{error.at("message").as_string()}, HasSubstr(refused.message));
        EXPECT_EQ(error.at("type"), json::value(refused.type));
        EXPECT_TRUE(error.contains("param"));
        EXPECT_TRUE(error.contains("code"));
    }
    EXPECT_EQ(body_of(with_->get("/v1/nothing")).at("error").at("type"), "invalid_request_error");
    EXPECT_EQ(body_of(with_->get(path)).at("error").at("type"), "invalid_request_error");
}

TEST_F(ApiOpenAi, ListsTheOneModel) {
    const json::object list = body_of(with_->get("/v1/models"));
    EXPECT_EQ(list.at("object"), "list");
    EXPECT_EQ(list.at("data"),
              (json::array{json::object{{"id", "small"}, {"object", "model"}, {"created", 0}, {"owned_by", "test"}}}));
}

TEST_F(ApiOpenAi, ServesOurOwnClientOfSuchServers) {
    const auto embedder = embed::open_openai({.url = with_->server().url() + "/v1", .name = "small"});
    EXPECT_EQ(embedder->model().dimension, 8U);
    const std::vector<std::string_view> texts{"lijas", "palas"};
    const std::vector<embed::TextVector> vectors = embedder->embed(texts, embed::Role::passage);
    ASSERT_EQ(vectors.size(), 2U);
    EXPECT_EQ(vectors[1].values, SmallEmbedder::vector_of("passage: palas").values);
}

TEST(ApiOpenAiFaults, SayThatTheModelIsAway) {
    test::ApiCase with;
    with.is_model_away = true;
    const net::HttpResponse response = with.post(path, R"({"input": "a", "model": "small"})");
    EXPECT_EQ(response.status, 503);
    EXPECT_EQ(body_of(response).at("error").at("type"), "server_error");
}

}  // namespace
}  // namespace decant::api
