#include "api/routes.hpp"

#include "api/openapi.hpp"

namespace decant::api {
namespace {

void append(std::vector<Route>& all, std::vector<Route> some) {
    for (Route& route : some)
        all.push_back(std::move(route));
}

}  // namespace

RouteTable all_routes(Services& services) {
    std::vector<Route> all;
    append(all, search_routes());
    append(all, chat_routes());
    append(all, embedding_routes());
    append(all, statistics_routes(services));
    append(all, catalog_routes());
    append(all, feedback_routes());
    append(all, quality_routes());
    append(all, openai_routes());
    append(all, sync_routes());
    append(all, admin_routes());
    append(all, health_routes(services));
    append(all, page_routes(services));
    append(all, mcp_routes(all, services));
    all.push_back({.method = "GET",
                   .path = "/openapi.json",
                   .id = "openapi",
                   .group = "health",
                   .summary = "This document",
                   .lane = LaneKind::immediate});
    const auto text_of = [&](bool is_open) { return json_text(openapi_document(all, services.version, is_open)); };
    all.back().handle = [&services, open = text_of(true), closed = text_of(false)](Call&) -> Reply {
        return {.headers = {{"Content-Type", "application/json"}}, .text = services.is_open() ? open : closed};
    };
    return RouteTable{std::move(all)};
}

}  // namespace decant::api
