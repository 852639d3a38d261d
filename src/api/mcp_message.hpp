#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "core/json.hpp"

namespace decant::api {

/// Codes of JSON-RPC 2.0.
enum class RpcCode {
    parse_error = -32700,
    invalid_request = -32600,
    method_not_found = -32601,
    invalid_params = -32602,
    internal_error = -32603,
};

/// What a message is refused with. `id` null: it is not known.
struct RpcFault {
    RpcCode code = RpcCode::invalid_request;
    std::string message;
    json::value id = nullptr;
    json::value data = nullptr;
};

/// One message of a client. Source: JSON-RPC 2.0 as the Model Context Protocol (2025-11-25, "Base Protocol") narrows
/// it: ids are strings or integers, params objects, batches are none.
struct RpcMessage {
    enum class Kind { request, notification, response };

    Kind kind = Kind::notification;
    json::value id = nullptr;  ///< of a request or a response
    std::string method = {};
    json::object params = {};
};

/// Whatever the bytes are: a message, or why they are none.
std::variant<RpcMessage, RpcFault> read_rpc_message(std::string_view text);

json::object rpc_result(const json::value& id, json::object result);
json::object rpc_error(const RpcFault& fault);

}  // namespace decant::api
