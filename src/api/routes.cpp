#include "api/routes.hpp"

#include "api/gzip.hpp"
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
    struct Document {
        std::string text;
        std::shared_ptr<const std::string> packed;
    };
    const auto document_of = [&](bool is_open) {
        std::string text = json_text(openapi_document(all, services.version, is_open));
        auto packed = std::make_shared<const std::string>(gzip(text, Compression::best));
        return Document{.text = std::move(text), .packed = std::move(packed)};
    };
    all.back().handle = [&services, open = document_of(true), closed = document_of(false)](Call&) -> Reply {
        const Document& document = services.is_open() ? open : closed;
        return {.headers = {{"Content-Type", "application/json"}}, .text = document.text, .packed = document.packed};
    };
    return RouteTable{std::move(all)};
}

}  // namespace decant::api
