#include "api/mcp_tools.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <stdexcept>

#include "api/handling.hpp"
#include "api/problem.hpp"
#include "api/worker.hpp"
#include "core/error.hpp"
#include "core/log.hpp"

namespace decant::api {
namespace {

struct Description {
    std::string_view route;  ///< its id
    std::string_view name;
    std::string_view title;
    std::string_view description;
};

constexpr std::array<Description, 4> descriptions{
    {{"searchProducts", "search_products", "Search products",
      "Finds products of the catalog by meaning and by words, in Spanish or English. Prices, brands, categories and "
      "stock that the question names are understood as filters. metadata tells how the answer came about; when "
      "nothing fits, metadata.diagnosis tells why."},
     {"similarProducts", "similar_products", "Similar products",
      "Finds the products most similar to one product of the catalog, which search_products gave the product_id of."},
     {"getProduct", "get_product", "Product details",
      "Gives one product of the catalog by its product_id: name, brand, category, price, stock and the whole "
      "description."},
     {"statistics", "catalog_stats", "Catalog statistics",
      "Tells how many products the catalog has, how many of them can be searched by meaning, and how old their "
      "embeddings are."}}};

void append(std::vector<Field>& all, const Shape* some) {
    if (some != nullptr) all.insert(all.end(), some->fields.begin(), some->fields.end());
}

constexpr std::string_view components = "#/components/schemas/";

/// References into the API's document become references into the schema itself.
void make_local(json::value& value) {
    if (json::array* array = value.if_array()) {
        for (json::value& element : *array)
            make_local(element);
    }
    json::object* object = value.if_object();
    if (object == nullptr) return;
    for (auto& [key, member] : *object) {
        if (key == "$ref" && member.is_string() && std::string_view{member.get_string()}.starts_with(components))
            member = fmt::format("#/$defs/{}", std::string_view{member.get_string()}.substr(components.size()));
        else
            make_local(member);
    }
}

void add_definitions(const Shape& shape, json::object& definitions) {
    for (const Field& field : shape.fields) {
        if (field.shape == nullptr || definitions.contains(field.shape->name)) continue;
        definitions[field.shape->name] = schema_of(*field.shape);
        add_definitions(*field.shape, definitions);
    }
}

json::value whole_schema(const Shape& shape) {
    json::object schema = schema_of(shape);
    json::object definitions;
    add_definitions(shape, definitions);
    if (!definitions.empty()) schema["$defs"] = std::move(definitions);
    json::value whole = std::move(schema);
    make_local(whole);
    return whole;
}

json::object content_of(std::string text) {
    return {{"content", json::array{json::object{{"type", "text"}, {"text", std::move(text)}}}}};
}

json::object reply_to(const McpTool& tool, json::object arguments, const Call& call) {
    json::object given;
    try {
        given = checked(tool.input, std::move(arguments));
    } catch (const Error& error) {
        throw Error{error.code(), error.happened(),
                    fmt::format("See the inputSchema of {} for what it takes.", tool.name)};
    }
    Call inner{.exchange = call.exchange,
               .request_id = call.request_id,
               .caller = call.caller,
               .path = {},
               .query = {},
               .body = {},
               .worker = call.worker};
    if (tool.route.path_shape != nullptr) {
        for (const Field& field : tool.route.path_shape->fields) {
            inner.path.emplace_back(given.at(field.name).as_string());
            given.erase(field.name);
        }
    }
    (tool.route.body != nullptr ? inner.body : inner.query) = std::move(given);
    Reply reply = reply_of(tool.route, inner);
    if (reply.afterwards) reply.afterwards();  // it only queues: the protocol's answer waits for nothing
    return std::move(reply.body.as_object());
}

}  // namespace

std::vector<McpTool> mcp_tools(const std::vector<Route>& routes) {
    std::vector<McpTool> tools;
    for (const auto& [id, name, title, description] : descriptions) {
        const auto route = std::ranges::find(routes, id, &Route::id);
        if (route == routes.end()) throw std::logic_error{fmt::format("no route {}", id)};
        McpTool& tool = tools.emplace_back(
            McpTool{.name = name, .title = title, .description = description, .route = *route, .input = {}});
        tool.input.name = name;
        for (const Shape* part : {route->path_shape, route->query, route->body})
            append(tool.input.fields, part);
    }
    return tools;
}

json::object mcp_tool_json(const McpTool& tool) {
    return {{"name", tool.name},
            {"title", tool.title},
            {"description", tool.description},
            {"inputSchema", whole_schema(tool.input)},
            {"outputSchema", whole_schema(*tool.route.answer)},
            {"annotations", json::object{{"title", tool.title},
                                         {"readOnlyHint", true},
                                         {"destructiveHint", false},
                                         {"idempotentHint", true},
                                         {"openWorldHint", false}}}};
}

json::object call_mcp_tool(const McpTool& tool, json::object arguments, const Call& call) {
    try {
        json::object answer = reply_to(tool, std::move(arguments), call);
        json::object result = content_of(json_text(answer));
        result["structuredContent"] = std::move(answer);
        return result;
    } catch (const Error& error) {
        if (traits_of(error.code()).http_status >= 500)
            log::warning("mcp {}: {}: {}", tool.name, traits_of(error.code()).name, error.happened());
        if (error.code() == ErrorCode::store_unavailable) call.worker->lost();
        json::object result = content_of(public_detail(error));
        result["isError"] = true;
        return result;
    }
}

}  // namespace decant::api
