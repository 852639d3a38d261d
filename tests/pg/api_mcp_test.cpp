// The Model Context Protocol: its messages, its route over HTTP, and the same over a pair of streams.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <thread>

#include <unistd.h>

#include "api/mcp_stdio.hpp"
#include "tests/support/api_case.hpp"
#include "tests/support/jwt_token.hpp"

namespace decant::api {
namespace {

using test::body_of;
using testing::ElementsAre;
using testing::HasSubstr;

const std::string path = "/mcp";

std::string request(std::string_view method, const json::object& params = {}, const json::value& id = 1) {
    return json_text(json::object{{"jsonrpc", "2.0"}, {"id", id}, {"method", method}, {"params", params}});
}

std::string call(std::string_view tool, const json::object& arguments, const json::value& id = 1) {
    return request("tools/call", {{"name", tool}, {"arguments", arguments}}, id);
}

class ApiMcp : public testing::Test {
protected:
    static void SetUpTestSuite() { with_ = new test::ApiCase; }
    static void TearDownTestSuite() { delete with_; }

    static json::object answer(const std::string& body) {
        const net::HttpResponse response = with_->post(path, body);
        EXPECT_EQ(response.status, 200) << response.body;
        return body_of(response);
    }
    static json::object result(const std::string& body) {
        const json::object answered = answer(body);
        EXPECT_TRUE(answered.contains("result")) << json_text(answered);
        return answered.at("result").as_object();
    }
    static int code_of(const json::object& answered) {
        return static_cast<int>(answered.at("error").at("code").as_int64());
    }
    /// What a tool says where it fails.
    static std::string failure(const std::string& tool, const json::object& arguments) {
        const json::object told = result(call(tool, arguments));
        EXPECT_EQ(told.at("isError"), json::value(true)) << json_text(told);
        EXPECT_FALSE(told.contains("structuredContent"));
        return std::string{told.at("content").at(0).at("text").as_string()};
    }

    static inline test::ApiCase* with_ = nullptr;
};

TEST_F(ApiMcp, SpeaksTheVersionThatIsAskedForElseItsNewest) {
    const auto version = [](std::string_view wanted) {
        const json::object told =
            result(request("initialize", {{"protocolVersion", wanted}, {"capabilities", json::object{}}}));
        EXPECT_TRUE(told.at("capabilities").as_object().contains("tools"));
        EXPECT_EQ(told.at("serverInfo").at("name"), "decant");
        return std::string{told.at("protocolVersion").as_string()};
    };
    EXPECT_EQ(version("2025-06-18"), "2025-06-18");
    EXPECT_EQ(version("2025-11-25"), "2025-11-25");
    EXPECT_EQ(version("2024-11-05"), "2025-11-25");
    EXPECT_EQ(version("2099-01-01"), "2025-11-25");
    EXPECT_EQ(code_of(answer(request("initialize"))), -32602);
}

void expect_no_dangling_reference(const json::value& value, const json::object& definitions) {
    if (const json::array* array = value.if_array()) {
        for (const json::value& element : *array)
            expect_no_dangling_reference(element, definitions);
    }
    if (const json::object* object = value.if_object()) {
        for (const auto& [key, member] : *object) {
            if (key == "$ref") {
                const std::string_view reference{member.as_string()};
                ASSERT_TRUE(reference.starts_with("#/$defs/")) << reference;
                EXPECT_TRUE(definitions.contains(reference.substr(8))) << reference;
            } else {
                expect_no_dangling_reference(member, definitions);
            }
        }
    }
}

TEST_F(ApiMcp, ListsToolsThatOnlyReadWithSchemasThatStandByThemselves) {
    std::vector<std::string> names;
    const json::object listed = result(request("tools/list"));
    for (const json::value& tool : listed.at("tools").as_array()) {
        names.emplace_back(tool.at("name").as_string());
        EXPECT_EQ(tool.at("annotations").at("readOnlyHint"), json::value(true));
        for (const char* part : {"inputSchema", "outputSchema"}) {
            const json::object& schema = tool.at(part).as_object();
            EXPECT_EQ(schema.at("type"), "object");
            const json::value* definitions = schema.if_contains("$defs");
            expect_no_dangling_reference(schema, definitions == nullptr ? json::object{} : definitions->as_object());
        }
    }
    EXPECT_THAT(names, ElementsAre("search_products", "similar_products", "get_product", "catalog_stats"));
    EXPECT_EQ(code_of(answer(request("tools/list", {{"cursor", "x"}}))), -32602);
}

TEST_F(ApiMcp, SearchesAsTheApiDoes) {
    const json::object told = result(call("search_products", {{"query", "thing 4"}, {"limit", 2}}));
    EXPECT_FALSE(told.contains("isError"));
    const json::object& structured = told.at("structuredContent").as_object();
    EXPECT_EQ(json::parse(told.at("content").at(0).at("text").as_string()), json::value(structured));
    const json::object api = body_of(with_->post("/api/v1/pgvector/search", R"({"query": "thing 4", "limit": 2})"));
    EXPECT_EQ(structured.at("results"), api.at("results"));
    EXPECT_EQ(structured.at("results").at(0).at("sku"), "p-4");
}

TEST_F(ApiMcp, TellsOfOneProductAndOfThoseLikeIt) {
    const std::string id = with_->catalog().id_of("p-5");
    const json::object details = result(call("get_product", {{"product_id", id}})).at("structuredContent").as_object();
    EXPECT_EQ(details.at("sku"), "p-5");
    EXPECT_EQ(details.at("price"), json::value(50));
    EXPECT_EQ(details.at("active"), json::value(true));
    EXPECT_EQ(json::value(details), json::value(body_of(with_->get("/api/v1/pgvector/products/" + id))));

    const json::object similar =
        result(call("similar_products", {{"product_id", id}, {"limit", 3}, {"similarity_threshold", 0}}))
            .at("structuredContent")
            .as_object();
    EXPECT_EQ(similar.at("reference_product_id"), json::value(id));
    EXPECT_EQ(similar.at("similar_products").as_array().size(), 3U);

    const json::object stats = result(call("catalog_stats", {})).at("structuredContent").as_object();
    EXPECT_EQ(stats.at("total_products"), json::value(12));
    EXPECT_EQ(stats.at("products_without_embeddings"), json::value(1));
}

TEST_F(ApiMcp, ToolsSayWhatHappenedAndWhatToDo) {
    EXPECT_EQ(failure("search_products", {{"query", "x"}, {"limit", 1000}}),
              "/limit takes 1 to 100. See the inputSchema of search_products for what it takes.");
    EXPECT_THAT(failure("search_products", {}), HasSubstr("/query is missing"));
    EXPECT_THAT(failure("catalog_stats", {{"table", "products"}}), HasSubstr("/table is unknown"));
    EXPECT_THAT(failure("get_product", {{"product_id", "p-5"}}), HasSubstr("/product_id is no UUID"));
    EXPECT_EQ(failure("get_product", {{"product_id", "00000000-0000-0000-0000-000000000000"}}),
              "There is no product 00000000-0000-0000-0000-000000000000. A search gives the ids.");
}

TEST_F(ApiMcp, WhatIsNoCallOfAToolIsAnErrorOfTheProtocol) {
    EXPECT_EQ(json_text(answer(request("ping", {}, "a"))), R"({"jsonrpc":"2.0","id":"a","result":{}})");
    EXPECT_EQ(code_of(answer(request("resources/list"))), -32601);
    EXPECT_EQ(code_of(answer(call("drop_products", {}))), -32602);
    EXPECT_EQ(code_of(answer(request("tools/call"))), -32602);
    EXPECT_EQ(code_of(answer(request("tools/call", {{"name", "get_product"}, {"arguments", "x"}}))), -32602);
    for (const char* text : {"{", "[]", R"({"method": "ping"})"}) {
        const net::HttpResponse response = with_->post(path, text);
        EXPECT_EQ(response.status, 400) << text;
        EXPECT_TRUE(body_of(response).contains("error")) << response.body;
    }
}

TEST_F(ApiMcp, TakesNotificationsWithoutAnAnswerAndHasNoStreams) {
    for (const char* method : {"notifications/initialized", "notifications/cancelled"}) {
        const net::HttpResponse response =
            with_->post(path, json_text(json::object{{"jsonrpc", "2.0"}, {"method", method}}));
        EXPECT_EQ(response.status, 202);
        EXPECT_EQ(response.body, "");
    }
    const net::HttpResponse stream = with_->get(path, {"Accept: text/event-stream"});
    EXPECT_EQ(stream.status, 405);
    EXPECT_EQ(stream.headers.at("allow"), "POST");
}

TEST_F(ApiMcp, ChecksTheHeadersOfTheTransport) {
    const auto status = [](const std::string& header) { return with_->post(path, request("ping"), {header}).status; };
    EXPECT_EQ(status("Accept: application/json, text/event-stream"), 200);
    EXPECT_EQ(status("Accept: text/event-stream"), 406);
    EXPECT_EQ(status("MCP-Protocol-Version: 2025-06-18"), 200);
    EXPECT_EQ(status("MCP-Protocol-Version: 2024-11-05"), 400);
    EXPECT_EQ(status("Content-Type: text/plain"), 415);
    EXPECT_EQ(status("Origin: http://evil.example"), 403);
    EXPECT_EQ(status("Host: evil.example"), 403);
}

TEST_F(ApiMcp, IsNoPartOfTheDocumentOfTheApi) {
    EXPECT_EQ(with_->get("/openapi.json").body.find("\"/mcp\""), std::string::npos);
}

TEST(ApiMcpAccess, IsThatOfASearch) {
    const test::ApiCase with{{{"JWT_SECRET_KEY", std::string{test::jwt_secret}}, {"DECANT_RATE_SEARCH", "2"}}};
    const auto status = [&](const std::string& scope) {
        const auto now = std::chrono::system_clock::now().time_since_epoch();
        const std::string payload = fmt::format(R"({{"sub":"ana","scope":"{}","exp":{}}})", scope,
                                                std::chrono::duration_cast<std::chrono::seconds>(now).count() + 600);
        return with
            .post(path, request("ping"), {"Authorization: Bearer " + test::make_token(test::jwt_header, payload)})
            .status;
    };
    EXPECT_EQ(with.post(path, request("ping")).status, 401);
    EXPECT_EQ(status("chat"), 403);
    EXPECT_EQ(status("search"), 200);
    EXPECT_EQ(status("search"), 200);
    EXPECT_EQ(status("search"), 429);
}

/// Everything that the server answers to `input`, by id; what has none under "".
std::map<std::string, json::object> spoken(Server& server, const std::string& input) {
    std::array<int, 2> in{};
    std::array<int, 2> out{};
    if (pipe(in.data()) != 0 || pipe(out.data()) != 0) throw std::runtime_error{"no pipe"};
    std::string told;
    std::jthread writer{[&] {
        for (std::string_view rest = input; !rest.empty();) {
            const ssize_t count = write(in[1], rest.data(), rest.size());
            if (count <= 0) break;
            rest.remove_prefix(static_cast<std::size_t>(count));
        }
        close(in[1]);
    }};
    std::jthread reader{[&] {
        std::array<char, 4096> bytes{};
        for (ssize_t count = 0; (count = read(out[0], bytes.data(), bytes.size())) > 0;)
            told.append(bytes.data(), static_cast<std::size_t>(count));
    }};
    serve_mcp(server, {.in = in[0], .out = out[1]});
    close(out[1]);
    reader.join();
    writer.join();
    close(in[0]);
    close(out[0]);
    std::map<std::string, json::object> answers;
    std::istringstream lines{told};
    for (std::string line; std::getline(lines, line);) {
        json::object answer = json::parse(line).as_object();
        const json::value* id = answer.if_contains("id");
        answers[id == nullptr ? "" : json_text(*id)] = std::move(answer);
    }
    return answers;
}

TEST_F(ApiMcp, AnswersLinesOfAStreamUntilItEnds) {
    const std::string input = request("initialize", {{"protocolVersion", "2025-11-25"}}, 1) + "\n" +
                              R"({"jsonrpc": "2.0", "method": "notifications/initialized"})" + "\n\r\n" +
                              call("search_products", {{"query", "thing 7"}}, "s") + "\r\n" + request("ping", {}, 2);
    const auto answers = spoken(with_->server(), input);
    ASSERT_EQ(answers.size(), 3U);
    EXPECT_EQ(answers.at("1").at("result").at("protocolVersion"), "2025-11-25");
    EXPECT_EQ(answers.at("\"s\"").at("result").at("structuredContent").at("results").at(0).at("sku"), "p-7");
    EXPECT_TRUE(answers.contains("2")) << "the last line had no end";
}

TEST_F(ApiMcp, RefusesALineThatIsNoMessageOrTooLongAndGoesOn) {
    const std::string input = "nothing\n" + request("ping", {}, 1) + "\n" + std::string(3 * 1024 * 1024, 'x') + "\n" +
                              request("ping", {}, 2) + "\n";
    const auto answers = spoken(with_->server(), input);
    ASSERT_EQ(answers.size(), 3U);
    EXPECT_THAT(std::string{answers.at("").at("error").at("message").as_string()}, HasSubstr("1048576 bytes"));
    EXPECT_TRUE(answers.contains("1"));
    EXPECT_TRUE(answers.contains("2"));
}

}  // namespace
}  // namespace decant::api
