#include "api/mcp_message.hpp"

#include <boost/json/parse.hpp>
#include <cstdint>
#include <cstdlib>

namespace {

using namespace decant;
using namespace decant::api;

bool is_id(const json::value& id) {
    return id.is_string() || id.is_number();
}

void require_sound(const RpcMessage& message) {
    if (message.kind == RpcMessage::Kind::request && !is_id(message.id)) std::abort();
    if (message.kind == RpcMessage::Kind::notification && !message.id.is_null()) std::abort();
    if (message.kind == RpcMessage::Kind::response && !message.method.empty()) std::abort();
}

/// Whatever was sent, the answer is one line of JSON.
void require_line(const json::object& answer) {
    const std::string line = json_text(answer);
    boost::system::error_code no_json;
    static_cast<void>(json::parse(line, no_json));
    if (no_json || line.find('\n') != std::string::npos) std::abort();
}

}  // namespace

// Whatever a client of the Model Context Protocol sends: a message, or a refusal that can be sent back.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto read = read_rpc_message({reinterpret_cast<const char*>(data), size});
    if (const auto* fault = std::get_if<RpcFault>(&read)) {
        if (fault->message.empty()) std::abort();
        require_line(rpc_error(*fault));
        return 0;
    }
    const auto& message = std::get<RpcMessage>(read);
    require_sound(message);
    require_line(rpc_result(message.id, message.params));
    return 0;
}
