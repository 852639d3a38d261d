#include "api/mcp_message.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace decant::api {
namespace {

using testing::HasSubstr;
using Kind = RpcMessage::Kind;

RpcMessage message_of(std::string_view text) {
    const auto read = read_rpc_message(text);
    if (const auto* fault = std::get_if<RpcFault>(&read)) throw std::runtime_error{fault->message};
    return std::get<RpcMessage>(read);
}

RpcFault fault_of(std::string_view text) {
    const auto read = read_rpc_message(text);
    const auto* fault = std::get_if<RpcFault>(&read);
    if (fault == nullptr) throw std::runtime_error{"it is a message"};
    return *fault;
}

TEST(McpMessage, IsARequestWhereItHasAnId) {
    const RpcMessage message = message_of(R"({"jsonrpc": "2.0", "id": 7, "method": "ping", "params": {"a": 1}})");
    EXPECT_EQ(message.kind, Kind::request);
    EXPECT_EQ(message.id, json::value(7));
    EXPECT_EQ(message.method, "ping");
    EXPECT_EQ(message.params, (json::object{{"a", 1}}));
    EXPECT_EQ(message_of(R"({"jsonrpc": "2.0", "id": "x", "method": "ping"})").id, json::value("x"));
}

TEST(McpMessage, IsANotificationWithoutAnIdAndAResponseWithoutAMethod) {
    EXPECT_EQ(message_of(R"({"jsonrpc": "2.0", "method": "notifications/initialized"})").kind, Kind::notification);
    EXPECT_EQ(message_of(R"({"jsonrpc": "2.0", "id": 1, "result": {}})").kind, Kind::response);
    EXPECT_EQ(message_of(R"({"jsonrpc": "2.0", "id": 1, "error": {"code": 1, "message": "x"}})").kind, Kind::response);
}

TEST(McpMessage, ThatIsNoJsonIsAParseError) {
    for (const char* text : {"", "{", "nothing", R"({"jsonrpc": "2.0", "jsonrpc": "2.0"})", "\"\xff\""}) {
        const RpcFault fault = fault_of(text);
        EXPECT_EQ(fault.code, RpcCode::parse_error) << text;
        EXPECT_TRUE(fault.id.is_null()) << text;
    }
}

TEST(McpMessage, OfAnotherShapeIsRefusedUnderItsIdWhereThatCanBeRead) {
    struct Refused {
        std::string text;
        std::string what;
        json::value id = nullptr;
    };
    for (const Refused& refused :
         {Refused{"[]", "Batches"}, Refused{"7", "no JSON object"},
          Refused{R"({"id": 3, "method": "ping"})", "jsonrpc", 3},
          Refused{R"({"jsonrpc": "1.0", "id": "a", "method": "ping"})", "jsonrpc", "a"},
          Refused{R"({"jsonrpc": "2.0", "id": null, "method": "ping"})", "id is neither"},
          Refused{R"({"jsonrpc": "2.0", "id": 1.5, "method": "ping"})", "id is neither"},
          Refused{R"({"jsonrpc": "2.0", "id": 3})", "no method", 3},
          Refused{R"({"jsonrpc": "2.0", "id": 3, "method": 4})", "method is no string", 3},
          Refused{R"({"jsonrpc": "2.0", "id": 3, "method": "ping", "params": []})", "params is no object", 3}}) {
        const RpcFault fault = fault_of(refused.text);
        EXPECT_EQ(fault.code, RpcCode::invalid_request) << refused.text;
        EXPECT_THAT(fault.message, HasSubstr(refused.what));
        EXPECT_EQ(fault.id, refused.id) << refused.text;
    }
}

TEST(McpMessage, AnswersCarryTheIdAndErrorsTheirCode) {
    EXPECT_EQ(json_text(rpc_result("x", {{"a", 1}})), R"({"jsonrpc":"2.0","id":"x","result":{"a":1}})");
    EXPECT_EQ(json_text(rpc_error({.code = RpcCode::method_not_found, .message = "Unknown", .id = 2})),
              R"({"jsonrpc":"2.0","id":2,"error":{"code":-32601,"message":"Unknown"}})");
    EXPECT_EQ(json_text(rpc_error({.code = RpcCode::parse_error, .message = "No", .data = json::object{{"b", 2}}})),
              R"({"jsonrpc":"2.0","error":{"code":-32700,"message":"No","data":{"b":2}}})");
}

}  // namespace
}  // namespace decant::api
