#include "api/problem.hpp"

#include <boost/json/parse.hpp>

#include <gtest/gtest.h>

#include "core/json.hpp"

namespace decant::api {
namespace {

json::object body_of(const net::ServerResponse& response) {
    return json::parse(response.body).as_object();
}

TEST(Problem, HasATitleWhateverTheError) {
    for (int code = 0; code <= static_cast<int>(ErrorCode::internal); ++code) {
        const net::ServerResponse response = problem_of(Error{static_cast<ErrorCode>(code), "It", ""}, "/a", "1");
        EXPECT_NE(body_of(response).at("title"), "") << response.status;
    }
    for (const int status : {400, 408, 413, 414, 415, 417, 431, 500, 501, 505})
        EXPECT_NE(body_of(problem_of(net::Refusal{status, "It."})).at("title"), "") << status;
    const Error invalid{ErrorCode::request_invalid, "It", ""};
    EXPECT_EQ(body_of(problem_of(invalid, "/a", "1")).at("title"), "Unprocessable Content");
}

TEST(Problem, IsShapedByTheApiItStandsIn) {
    const Error away{ErrorCode::overloaded, "Too much", ""};
    const net::ServerResponse own = problem_of(away, "/api/v1/x", "1");
    const net::ServerResponse openai = problem_of(away, "/v1/embeddings", "1");
    EXPECT_EQ(body_of(own).at("error"), "overloaded");
    EXPECT_EQ(body_of(openai).at("error").at("code"), "overloaded");
    EXPECT_EQ(own.headers.at(0).second, "application/problem+json");
    EXPECT_EQ(openai.headers.at(0).second, "application/json");
    for (const net::ServerResponse& response : {own, openai})
        EXPECT_EQ(response.headers.at(2), (std::pair<std::string, std::string>{"Retry-After", "1"}));
}

}  // namespace
}  // namespace decant::api
