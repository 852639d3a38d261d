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
std::vector<Route> feedback_routes();
std::vector<Route> openai_routes();
std::vector<Route> admin_routes();
std::vector<Route> health_routes(Services& services);

/// All of them, and /openapi.json, which describes them.
RouteTable all_routes(Services& services);

}  // namespace decant::api
