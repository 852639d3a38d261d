#pragma once

#include <string_view>
#include <vector>

#include "api/route.hpp"

namespace decant::api {

/// One tool of the Model Context Protocol: a route of the API under a name for language models. Its arguments are the
/// route's path, query and body together, checked against the same shapes.
struct McpTool {
    std::string_view name;
    std::string_view title;
    std::string_view description;
    Route route;
    Shape input;
};

/// All of them, over the API's routes. All of them only read.
std::vector<McpTool> mcp_tools(const std::vector<Route>& routes);

/// As tools/list shows it, with schemas that stand by themselves.
json::object mcp_tool_json(const McpTool& tool);

/// The result of tools/call: what the route replies as structuredContent and as text. What goes wrong is a result too
/// (isError), which says what happened and what to do. `call` is that of the protocol's own route.
json::object call_mcp_tool(const McpTool& tool, json::object arguments, const Call& call);

}  // namespace decant::api
