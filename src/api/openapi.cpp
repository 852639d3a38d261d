#include "api/openapi.hpp"

#include <fmt/format.h>

#include <set>

#include "api/problem.hpp"

namespace decant::api {
namespace {

const Shape problem_shape{
    .name = "Problem",
    .fields = {{.name = "type", .required = true},
               {.name = "title", .required = true},
               {.name = "status", .type = FieldType::integer, .required = true},
               {.name = "detail", .about = "What happened, to which object, what to do", .required = true},
               {.name = "instance", .required = true},
               {.name = "error", .about = "A short code that stays", .required = true},
               {.name = "request_id", .required = true},
               {.name = "timestamp", .type = FieldType::time, .required = true}}};

const Shape openai_error_shape{.name = "OpenAiError",
                               .fields = {{.name = "message", .required = true},
                                          {.name = "type", .required = true},
                                          {.name = "param", .required = true, .nullable = true},
                                          {.name = "code", .required = true, .nullable = true}}};

const Shape openai_problem_shape{
    .name = "OpenAiProblem",
    .fields = {{.name = "error", .type = FieldType::object, .required = true, .shape = &openai_error_shape}}};

std::string_view phrase_of(int status) {
    switch (status) {
        case 400:
            return "The request is malformed; detail names the member";
        case 401:
            return "No credentials, or none that are valid";
        case 403:
            return "The credentials are not good for this";
        case 404:
            return "There is no such object";
        case 409:
            return "It contradicts what is there";
        case 413:
            return "The body is too large";
        case 415:
            return "The body is no JSON by its Content-Type";
        case 422:
            return "A value is out of its range";
        case 429:
            return "The limit a minute is reached";
        case 503:
            return "Database or model are away, or the server has too much to do";
        default:
            return "Something went wrong in the server";
    }
}

void add_shape(const Shape& shape, json::object& schemas) {
    if (schemas.contains(shape.name)) return;
    schemas[shape.name] = schema_of(shape);
    for (const Field& field : shape.fields)
        if (field.shape != nullptr) add_shape(*field.shape, schemas);
}

json::object reference_to(const Shape& shape) {
    return {{"$ref", fmt::format("#/components/schemas/{}", shape.name)}};
}

json::array parameters_of(const Route& route) {
    json::array parameters;
    const auto add = [&](const Shape& shape, std::string_view place) {
        for (const Field& field : shape.fields) {
            json::object parameter{{"name", field.name}, {"in", place}, {"schema", schema_of(field)}};
            if (field.required || place == "path") parameter["required"] = true;
            parameters.push_back(std::move(parameter));
        }
    };
    if (route.path_shape != nullptr) add(*route.path_shape, "path");
    if (route.query != nullptr) add(*route.query, "query");
    for (const auto& [name, pattern, example] : route.request_headers)
        parameters.push_back(json::object{{"name", name},
                                          {"in", "header"},
                                          {"example", example},
                                          {"schema", json::object{{"type", "string"}, {"pattern", pattern}}}});
    return parameters;
}

/// What a route may be refused with, by what it is.
std::set<int> refusals_of(const Route& route) {
    std::set<int> statuses{route.refusals.begin(), route.refusals.end()};
    if (route.lane != LaneKind::immediate) statuses.insert({400, 500, 503});
    if (route.path_shape != nullptr || route.query != nullptr) statuses.insert({400, 422});
    if (route.body != nullptr) statuses.insert({400, 413, 415, 422});
    if (route.scope != Scope::open) statuses.insert({401, 403});
    if (route.rate != RateClass::none) statuses.insert(429);
    statuses.insert(400);
    for (const int status : route.also_answers)
        statuses.erase(status);
    return statuses;
}

json::object refusal_content_of(const Route& route) {
    const bool is_openai = route.path.starts_with(openai_prefix);
    const Shape& shape = is_openai ? openai_problem_shape : problem_shape;
    return {
        {is_openai ? "application/json" : "application/problem+json", json::object{{"schema", reference_to(shape)}}}};
}

json::object responses_of(const Route& route) {
    json::object content;
    if (route.success != 204) {
        content[route.produces] =
            json::object{{"schema", route.answer != nullptr                ? reference_to(*route.answer)
                                    : route.produces == "application/json" ? json::object{{"type", "object"}}
                                                                           : json::object{{"type", "string"}}}};
    }
    json::object responses;
    responses[std::to_string(route.success)] = json::object{{"description", route.summary}, {"content", content}};
    for (const int status : route.also_answers)
        responses[std::to_string(status)] = json::object{{"description", phrase_of(status)}, {"content", content}};
    for (const int status : refusals_of(route)) {
        responses[std::to_string(status)] =
            json::object{{"description", phrase_of(status)}, {"content", refusal_content_of(route)}};
    }
    return responses;
}

json::object operation_of(const Route& route, bool is_open) {
    json::object operation{{"operationId", route.id},
                           {"summary", route.summary},
                           {"tags", json::array{route.group}},
                           {"responses", responses_of(route)}};
    if (json::array parameters = parameters_of(route); !parameters.empty())
        operation["parameters"] = std::move(parameters);
    if (route.body != nullptr) {
        json::object content{{"schema", reference_to(*route.body)}};
        if (!route.example.is_null()) content["example"] = route.example;
        operation["requestBody"] = json::object{{"required", !route.body_may_be_absent},
                                                {"content", json::object{{"application/json", std::move(content)}}}};
    }
    json::array security;
    if (route.scope != Scope::open && is_open) security.push_back(json::object{});  // none will do
    if (route.scope != Scope::open) security.push_back(json::object{{"bearer", json::array{}}});
    operation["security"] = std::move(security);
    if (route.scope != Scope::open) operation["x-scope"] = scope_names[route.scope];
    return operation;
}

}  // namespace

json::object openapi_document(std::span<const Route> routes, const std::string& version, bool is_open) {
    json::object schemas;
    add_shape(problem_shape, schemas);
    add_shape(openai_problem_shape, schemas);
    json::object paths;
    for (const Route& route : routes) {
        if (route.group == page_group || route.group == mcp_group) continue;
        for (const Shape* shape : {route.body, route.answer})
            if (shape != nullptr) add_shape(*shape, schemas);
        json::object& path =
            paths.insert(json::object::value_type{route.path, json::object{}}).first->value().as_object();
        std::string method{route.method};
        for (char& c : method)
            c = static_cast<char>(c + 32);
        path[method] = operation_of(route, is_open);
    }
    return {{"openapi", "3.1.0"},
            {"info", json::object{{"title", "decant"},
                                  {"version", version},
                                  {"description", "Search and chat over a product catalog in PostgreSQL."},
                                  {"license", json::object{{"name", "Apache-2.0"}, {"identifier", "Apache-2.0"}}}}},
            {"paths", std::move(paths)},
            {"components",
             json::object{{"schemas", std::move(schemas)},
                          {"securitySchemes",
                           json::object{{"bearer", json::object{{"type", "http"},
                                                                {"scheme", "bearer"},
                                                                {"description", "An API key, or a JWT (HS256)"}}}}}}}};
}

}  // namespace decant::api
