#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>

#include "api/mcp_message.hpp"
#include "api/mcp_tools.hpp"
#include "api/routes.hpp"
#include "core/json_members.hpp"
#include "core/utf8.hpp"

namespace decant::api {

// The Model Context Protocol: its messages, and of its transports "Streamable HTTP", which answers each POST by itself:
// there are no sessions and nothing to stream. Source: modelcontextprotocol.io, specification 2025-11-25.

namespace {

/// The newest last: clients that ask for one that is not here get that.
constexpr std::array<std::string_view, 2> versions{"2025-06-18", "2025-11-25"};

constexpr std::string_view instructions =
    "A shop's product catalog. search_products answers most questions; product_id of its results goes to get_product "
    "and similar_products. Name only products, prices and stock that a result holds.";

struct McpServer {
    std::string version;  ///< of the program
    std::vector<McpTool> tools;
};

json::array supported_versions() {
    json::array all;
    for (const std::string_view version : versions)
        all.emplace_back(version);
    return all;
}

RpcFault invalid_params(const RpcMessage& message, std::string what) {
    return {.code = RpcCode::invalid_params, .message = std::move(what), .id = message.id};
}

json::object initialize(const McpServer& server, const RpcMessage& message) {
    const auto wanted = text_member(message.params, "protocolVersion");
    if (!wanted) return rpc_error(invalid_params(message, "params/protocolVersion is missing"));
    const bool is_known = std::ranges::find(versions, *wanted) != versions.end();
    return rpc_result(
        message.id, {{"protocolVersion", is_known ? std::string_view{*wanted} : versions.back()},
                     {"capabilities", json::object{{"tools", json::object{}}}},
                     {"serverInfo", json::object{{"name", "decant"}, {"title", "decant"}, {"version", server.version}}},
                     {"instructions", instructions}});
}

json::object list_tools(const McpServer& server, const RpcMessage& message) {
    if (given_member(message.params, "cursor") != nullptr)
        return rpc_error(invalid_params(message, "params/cursor is none of this server, whose list is one page"));
    json::array tools;
    for (const McpTool& tool : server.tools)
        tools.push_back(mcp_tool_json(tool));
    return rpc_result(message.id, {{"tools", std::move(tools)}});
}

json::object call_tool(const McpServer& server, const RpcMessage& message, const Call& call) {
    const auto name = text_member(message.params, "name");
    if (!name) return rpc_error(invalid_params(message, "params/name is missing"));
    const auto tool = std::ranges::find(server.tools, *name, &McpTool::name);
    if (tool == server.tools.end())
        return rpc_error(invalid_params(message, fmt::format("Unknown tool: {}", first_characters(*name, 100))));
    const json::value* arguments = given_member(message.params, "arguments");
    if (arguments != nullptr && !arguments->is_object())
        return rpc_error(invalid_params(message, "params/arguments is no object"));
    return rpc_result(message.id,
                      call_mcp_tool(*tool, arguments == nullptr ? json::object{} : arguments->get_object(), call));
}

json::object answer_to(const McpServer& server, const RpcMessage& message, const Call& call) {
    if (message.method == "initialize") return initialize(server, message);
    if (message.method == "ping") return rpc_result(message.id, {});
    if (message.method == "tools/list") return list_tools(server, message);
    if (message.method == "tools/call") return call_tool(server, message, call);
    return rpc_error({.code = RpcCode::method_not_found,
                      .message = fmt::format("Unknown method: {}", first_characters(message.method, 100)),
                      .id = message.id});
}

Reply refusal(int status, const RpcFault& fault) {
    return {.status = status, .body = rpc_error(fault)};
}

/// Answers are JSON and never streams, though the protocol wants clients to take both.
bool takes_json(std::string_view accept) {
    return accept.empty() || accept.find("application/json") != accept.npos || accept.find("*/*") != accept.npos ||
           accept.find("application/*") != accept.npos;
}

Reply handle(const McpServer& server, const Call& call) {
    const net::ServerRequest& request = call.request();
    require_json(request);
    if (!takes_json(net::header(request.headers, "accept")))
        return refusal(406, {.message = "Answers are application/json, which the header Accept does not take"});
    const auto version = sent_header(request, "mcp-protocol-version");
    if (version && std::ranges::find(versions, *version) == versions.end())
        return refusal(400, {.message = "The header MCP-Protocol-Version names a version that is not spoken here",
                             .data = json::object{{"supported", supported_versions()}}});

    const auto read = read_rpc_message(request.body);
    if (const auto* fault = std::get_if<RpcFault>(&read)) return refusal(400, *fault);
    const auto& message = std::get<RpcMessage>(read);
    // Nothing that runs outlives its request, so there is nothing to cancel, and nothing was asked of the client.
    if (message.kind != RpcMessage::Kind::request) return {.status = 202};
    return {.body = answer_to(server, message, call)};
}

}  // namespace

std::vector<Route> mcp_routes(const std::vector<Route>& api, const Services& services) {
    const auto server = std::make_shared<const McpServer>(McpServer{services.version, mcp_tools(api)});
    return {{.method = "POST",
             .path = mcp_path,
             .id = "mcp",
             .group = mcp_group,
             .summary = "The Model Context Protocol",
             .scope = Scope::search,
             .rate = RateClass::search,
             .reads_body_itself = true,
             .handle = [server](Call& call) { return handle(*server, call); }}};
}

}  // namespace decant::api
