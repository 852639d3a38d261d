#include "tests/support/route_call.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <stdexcept>

namespace decant::test {
namespace {

std::string upper(std::string text) {
    std::ranges::transform(text, text.begin(), [](char c) { return c >= 'a' && c <= 'z' ? c - 32 : c; });
    return text;
}

std::string target_of(std::string path, const json::object& operation, const std::string& product) {
    for (const auto& [name, value] : {std::pair<std::string, std::string>{"{product_id}", product},
                                      {"{session_id}", "chat_nobody"},
                                      {"{job_id}", "1"},
                                      {"{name}", "nothing"}}) {
        if (const std::size_t at = path.find(name); at != std::string::npos) path.replace(at, name.size(), value);
    }
    if (path.find('{') != std::string::npos) throw std::runtime_error("no value for a name of " + path);
    const json::value* parameters = operation.if_contains("parameters");
    if (parameters == nullptr) return path;
    for (const json::value& parameter : parameters->as_array()) {
        const json::object& one = parameter.as_object();
        if (one.at("in") == "query" && one.contains("required"))
            path += fmt::format("?{}=nobody", one.at("name").as_string().c_str());
    }
    return path;
}

bool is_type(const json::value& value, std::string_view type) {
    if (type == "null") return value.is_null();
    if (type == "string") return value.is_string();
    if (type == "boolean") return value.is_bool();
    if (type == "object") return value.is_object();
    if (type == "array") return value.is_array();
    if (type == "integer") return value.is_int64() || value.is_uint64();
    return value.is_number();
}

/// JSON Schema, as much of it as api/shape writes.
class SchemaCheck {
public:
    explicit SchemaCheck(const json::object& document)
        : schemas_(document.at("components").at("schemas").as_object()) {}

    std::string fault(const json::object& schema, const json::value& value, const std::string& at) const {
        if (const json::value* reference = schema.if_contains("$ref")) {
            const std::string_view name{reference->as_string()};
            return fault(schemas_.at(name.substr(name.rfind('/') + 1)).as_object(), value, at);
        }
        if (const json::value* choices = schema.if_contains("anyOf")) {
            const bool is_one = std::ranges::any_of(choices->as_array(), [&](const json::value& choice) {
                return fault(choice.as_object(), value, at).empty();
            });
            return is_one ? "" : at + " is none of anyOf";
        }
        if (!has_type(schema, value)) return at + " has another type";
        if (const json::value* choices = schema.if_contains("enum")) {
            if (std::ranges::find(choices->as_array(), value) == choices->as_array().end())
                return at + " is not of enum";
        }
        if (const json::array* array = value.if_array()) return fault_of_items(schema, *array, at);
        if (const json::object* object = value.if_object()) return fault_of_members(schema, *object, at);
        return "";
    }

private:
    static bool has_type(const json::object& schema, const json::value& value) {
        const json::value* type = schema.if_contains("type");
        if (type == nullptr) return true;
        if (type->is_string()) return is_type(value, std::string_view{type->as_string()});
        return std::ranges::any_of(type->as_array(), [&](const json::value& one) {
            return is_type(value, std::string_view{one.as_string()});
        });
    }

    std::string fault_of_items(const json::object& schema, const json::array& array, const std::string& at) const {
        for (std::size_t i = 0; schema.contains("items") && i < array.size(); ++i) {
            std::string found = fault(schema.at("items").as_object(), array[i], fmt::format("{}/{}", at, i));
            if (!found.empty()) return found;
        }
        return "";
    }

    std::string fault_of_members(const json::object& schema, const json::object& object, const std::string& at) const {
        const json::value* properties = schema.if_contains("properties");
        if (properties == nullptr) return "";
        if (const json::value* required = schema.if_contains("required")) {
            for (const json::value& name : required->as_array())
                if (!object.contains(name.as_string()))
                    return fmt::format("{}/{} is missing", at, name.as_string().c_str());
        }
        for (const auto& [name, value] : object) {
            const json::value* member = properties->as_object().if_contains(name);
            const std::string member_at = fmt::format("{}/{}", at, std::string_view{name});
            if (member == nullptr) return member_at + " is not declared";
            if (std::string found = fault(member->as_object(), value, member_at); !found.empty()) return found;
        }
        return "";
    }

    const json::object& schemas_;
};

}  // namespace

std::vector<RouteCall> calls_of(const json::object& document, const std::string& product) {
    std::vector<RouteCall> calls;
    for (const auto& [path, methods] : document.at("paths").as_object()) {
        for (const auto& [method, value] : methods.as_object()) {
            const json::object& operation = value.as_object();
            RouteCall& call = calls.emplace_back(RouteCall{.method = upper(method),
                                                           .path = std::string{path},
                                                           .target = target_of(path, operation, product),
                                                           .responses = operation.at("responses").as_object()});
            if (const json::value* scope = operation.if_contains("x-scope"))
                call.scope = api::scope_names.find(std::string_view{scope->as_string()}).value();
            if (const json::value* body = operation.if_contains("requestBody"))
                call.body = json_text(body->at("content").at("application/json").at("example"));
        }
    }
    return calls;
}

RawAnswer send_call(std::uint16_t port, const RouteCall& call, const std::vector<std::string>& headers) {
    std::string head =
        fmt::format("{} {} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n", call.method, call.target);
    for (const std::string& header : headers)
        head += header + "\r\n";
    if (!call.body.empty())
        head += fmt::format("Content-Type: application/json\r\nContent-Length: {}\r\n", call.body.size());
    RawClient client{port};
    client.send(head + "\r\n" + call.body);
    auto answer = client.read_answer();
    if (!answer) throw std::runtime_error("no answer to " + call.target);
    return std::move(*answer);
}

std::string shape_fault(const json::object& document, const RouteCall& call, const RawAnswer& answer) {
    const json::value* response = call.responses.if_contains(std::to_string(answer.status));
    if (response == nullptr) return fmt::format("status {} is not declared", answer.status);
    std::string type{net::header(answer.headers, "content-type")};
    type = type.substr(0, type.find(';'));
    const json::value* content = response->at("content").as_object().if_contains(type);
    if (content == nullptr) return fmt::format("type '{}' is not declared", type);
    if (!type.ends_with("json")) return "";
    return SchemaCheck{document}.fault(content->at("schema").as_object(), json::parse(answer.body), "");
}

}  // namespace decant::test
