#include "api/mcp_message.hpp"

#include <cmath>

#include "core/error.hpp"
#include "core/json_members.hpp"
#include "core/strict_json.hpp"
#include "core/utf8.hpp"

namespace decant::api {
namespace {

/// JSON has one kind of number: 1.0 is an integer too.
bool is_id(const json::value& value) {
    const double* number = value.if_double();
    return value.is_string() || value.is_int64() || value.is_uint64() ||
           (number != nullptr && std::trunc(*number) == *number);
}

RpcFault invalid(std::string message, json::value id) {
    return {.code = RpcCode::invalid_request, .message = std::move(message), .id = std::move(id)};
}

std::variant<RpcMessage, RpcFault> message_of(json::object object) {
    const json::value* id = object.if_contains("id");
    json::value known = id != nullptr && is_id(*id) ? *id : json::value(nullptr);
    if (text_member(object, "jsonrpc") != "2.0") return invalid(R"(jsonrpc is not "2.0")", std::move(known));
    if (id != nullptr && known.is_null()) return invalid("id is neither a string nor an integer", nullptr);

    const json::value* method = object.if_contains("method");
    if (method == nullptr) {
        if (!object.contains("result") && !object.contains("error"))
            return invalid("The message has no method", std::move(known));
        return RpcMessage{.kind = RpcMessage::Kind::response, .id = std::move(known)};
    }
    if (!method->is_string()) return invalid("method is no string", std::move(known));
    RpcMessage message{.kind = id == nullptr ? RpcMessage::Kind::notification : RpcMessage::Kind::request,
                       .id = std::move(known),
                       .method = std::string{method->get_string()}};
    if (json::value* params = object.if_contains("params")) {
        if (!params->is_object()) return invalid("params is no object", std::move(message.id));
        message.params = std::move(params->get_object());
    }
    return message;
}

}  // namespace

std::variant<RpcMessage, RpcFault> read_rpc_message(std::string_view text) {
    json::value value;
    try {
        value = parse_strict_json(text);
    } catch (const Error& error) {
        return RpcFault{.code = RpcCode::parse_error, .message = error.happened()};
    }
    if (value.is_array()) return invalid("Batches are not taken: send one message at a time", nullptr);
    if (!value.is_object()) return invalid("The message is no JSON object", nullptr);
    return message_of(std::move(value.get_object()));
}

json::object rpc_result(const json::value& id, json::object result) {
    return {{"jsonrpc", "2.0"}, {"id", id}, {"result", std::move(result)}};
}

json::object rpc_error(const RpcFault& fault) {
    json::object error{{"code", static_cast<int>(fault.code)}, {"message", printable(fault.message)}};
    if (!fault.data.is_null()) error["data"] = fault.data;
    json::object message{{"jsonrpc", "2.0"}};
    if (!fault.id.is_null()) message["id"] = fault.id;
    message["error"] = std::move(error);
    return message;
}

}  // namespace decant::api
