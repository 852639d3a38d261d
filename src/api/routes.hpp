#pragma once

#include <vector>

#include "api/route.hpp"
#include "api/services.hpp"

namespace decant::api {

/// What each file of handlers gives to the table.
std::vector<Route> search_routes();
std::vector<Route> chat_routes();
std::vector<Route> embedding_routes();
std::vector<Route> statistics_routes(Services& services);
std::vector<Route> catalog_routes();
std::vector<Route> feedback_routes();
std::vector<Route> quality_routes();
std::vector<Route> openai_routes();
std::vector<Route> sync_routes();
std::vector<Route> admin_routes();
std::vector<Route> health_routes(Services& services);
std::vector<Route> page_routes(Services& services);
/// `api`: the routes that its tools are.
std::vector<Route> mcp_routes(const std::vector<Route>& api, const Services& services);

/// Where the Model Context Protocol is spoken.
inline constexpr std::string_view mcp_path = "/mcp";

/// All of them, and /openapi.json, which describes them.
RouteTable all_routes(Services& services);

}  // namespace decant::api
