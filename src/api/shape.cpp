#include "api/shape.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "catalog/uuid.hpp"
#include "core/enum_names.hpp"
#include "core/error.hpp"
#include "core/utf8.hpp"
#include "net/url.hpp"

namespace decant::api {
namespace {

constexpr EnumNames<FieldType, 13> type_phrases{{"a string", "a UUID", "a time", "an integer", "a number",
                                                 "true or false", "an object", "an array of strings",
                                                 "an array of UUIDs", "an array of objects", "an object",
                                                 "a string or an array of strings", "a string or an array of numbers"}};

[[noreturn]] void malformed(const std::string& pointer, const std::string& what) {
    throw Error{ErrorCode::request_malformed, fmt::format("{} {}", printable(pointer), what),
                "See /openapi.json for what this call takes."};
}

[[noreturn]] void invalid(const std::string& pointer, const std::string& what) {
    throw Error{ErrorCode::request_invalid, fmt::format("{} {}", printable(pointer), what),
                "See /openapi.json for what this call takes."};
}

std::string range_text(const Field& field, std::string_view unit) {
    if (field.least && field.most) return fmt::format("{} to {}{}", *field.least, *field.most, unit);
    if (field.least) return fmt::format("at least {}{}", *field.least, unit);
    return fmt::format("at most {}{}", *field.most, unit);
}

void check_range(const Field& field, double value, const std::string& pointer, std::string_view unit = "") {
    if ((field.least && value < *field.least) || (field.most && value > *field.most))
        invalid(pointer, fmt::format("takes {}", range_text(field, unit)));
}

void check_choice(const Field& field, std::string_view text, const std::string& pointer) {
    if (!field.choices.empty() && std::ranges::find(field.choices, text) == field.choices.end())
        invalid(pointer, fmt::format("takes one of {}", fmt::join(field.choices, ", ")));
}

void check_text(const Field& field, std::string_view text, const std::string& pointer) {
    if (text.find('\0') != std::string_view::npos) malformed(pointer, "holds U+0000, which no text may hold");
    if (field.type == FieldType::uuid && !catalog::parse_uuid(text)) malformed(pointer, "is no UUID");
    check_choice(field, text, pointer);
    if (field.type == FieldType::text)
        check_range(field, static_cast<double>(count_characters(text)), pointer, " characters");
    if (field.not_blank && text.find_first_not_of(" \t\n\v\f\r") == std::string_view::npos)
        invalid(pointer, "has nothing but blanks");
}

void check_no_nul(const json::value& value, const std::string& pointer) {
    if (const json::string* text = value.if_string()) {
        if (text->find('\0') != json::string::npos) malformed(pointer, "holds U+0000, which no text may hold");
    } else if (const json::object* object = value.if_object()) {
        for (const auto& [key, element] : *object) {
            if (key.find('\0') != json::string_view::npos) malformed(pointer, "holds U+0000, which no text may hold");
            check_no_nul(element, pointer);
        }
    } else if (const json::array* array = value.if_array()) {
        for (const json::value& element : *array)
            check_no_nul(element, pointer);
    }
}

json::value checked_value(const Field& field, json::value value, const std::string& pointer);

void check_choices(const Shape& shape, const json::object& given, const std::string& pointer) {
    const auto is_given = [&](std::string_view name) { return given.contains(name); };
    const std::string place = pointer.empty() ? "/" : pointer;
    if (!shape.one_of.empty() && std::ranges::count_if(shape.one_of, is_given) != 1)
        invalid(place, fmt::format("takes one of {}", fmt::join(shape.one_of, ", ")));
    if (!shape.any_of.empty() && std::ranges::none_of(shape.any_of, is_given))
        invalid(place, fmt::format("takes at least one of {}", fmt::join(shape.any_of, ", ")));
}

json::array each_required(const std::vector<std::string_view>& names) {
    json::array choices;
    for (const std::string_view name : names)
        choices.push_back(json::object{{"required", json::array{name}}});
    return choices;
}

json::object checked_at(const Shape& shape, json::object given, const std::string& pointer) {
    check_choices(shape, given, pointer);
    json::object out;
    for (const Field& field : shape.fields) {
        json::value* value = given.if_contains(field.name);
        const std::string at = fmt::format("{}/{}", pointer, field.name);
        if (value == nullptr) {
            if (field.required) malformed(at, "is missing");
            if (!field.fallback.is_null()) out[field.name] = field.fallback;
            continue;
        }
        if (value->is_null() && field.nullable)
            out[field.name] = field.fallback;
        else
            out[field.name] = checked_value(field, std::move(*value), at);
        given.erase(field.name);
    }
    if (!given.empty()) malformed(fmt::format("{}/{}", pointer, std::string_view{given.begin()->key()}), "is unknown");
    return out;
}

json::value checked_array(const Field& field, json::array array, const std::string& pointer) {
    check_range(field, static_cast<double>(array.size()), pointer, " elements");
    for (std::size_t i = 0; i < array.size(); ++i) {
        const std::string at = fmt::format("{}/{}", pointer, i);
        if (field.type == FieldType::objects) {
            if (!array[i].is_object()) malformed(at, "takes an object");
            array[i] = checked_at(*field.shape, std::move(array[i].as_object()), at);
        } else {
            if (!array[i].is_string()) malformed(at, "takes a string");
            check_no_nul(array[i], at);
            if (field.type == FieldType::uuids && !catalog::parse_uuid(array[i].get_string()))
                malformed(at, "is no UUID");
            check_choice(field, array[i].get_string(), at);
        }
    }
    return array;
}

/// JSON has one kind of number: 10.0 is an integer too.
std::optional<std::int64_t> integer_of(const json::value& value) {
    if (const std::int64_t* integer = value.if_int64()) return *integer;
    const double* number = value.if_double();
    if (number == nullptr || std::trunc(*number) != *number || std::abs(*number) > 9e15) return std::nullopt;
    return static_cast<std::int64_t>(*number);
}

json::value checked_value(const Field& field, json::value value, const std::string& pointer) {
    const auto wrong_type = [&] { malformed(pointer, fmt::format("takes {}", type_phrases[field.type])); };
    switch (field.type) {
        case FieldType::text:
        case FieldType::uuid:
        case FieldType::time:
            if (!value.is_string()) wrong_type();
            check_text(field, std::string_view{value.as_string()}, pointer);
            return value;
        case FieldType::integer: {
            if (value.is_uint64()) invalid(pointer, "is too large a number");
            const std::optional<std::int64_t> integer = integer_of(value);
            if (!integer) wrong_type();
            check_range(field, static_cast<double>(*integer), pointer);
            return *integer;
        }
        case FieldType::number:
            if (!value.is_number()) wrong_type();
            check_range(field, value.to_number<double>(), pointer);
            return value.to_number<double>();
        case FieldType::boolean:
            if (!value.is_bool()) wrong_type();
            return value;
        case FieldType::object:
            if (!value.is_object()) wrong_type();
            return checked_at(*field.shape, std::move(value.as_object()), pointer);
        case FieldType::any_object:
            if (!value.is_object()) wrong_type();
            check_no_nul(value, pointer);
            return value;
        case FieldType::text_or_texts:
            if (value.is_string()) {
                check_no_nul(value, pointer);
                return value;
            }
            [[fallthrough]];
        case FieldType::texts:
        case FieldType::uuids:
        case FieldType::objects:
            if (!value.is_array()) wrong_type();
            return checked_array(field, std::move(value.as_array()), pointer);
        case FieldType::text_or_numbers:
            break;  // of answers only
    }
    return value;
}

/// A name or value of a query, where '+' is a blank (application/x-www-form-urlencoded).
std::string query_part(std::string_view text) {
    std::string spaced{text};
    std::ranges::replace(spaced, '+', ' ');
    return net::percent_decoded(spaced);
}

/// A parameter's text as the JSON value that it stands for; what is none stays a string, which its field refuses.
json::value value_of(const Field& field, const std::string& text) {
    const auto number_of = [&]<typename Number>(Number number) -> json::value {
        const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
        if (failed != std::errc{} || end != text.data() + text.size()) return json::value(text);
        return number;
    };
    if (field.type == FieldType::integer) return number_of(std::int64_t{});
    if (field.type == FieldType::number) {
        const json::value number = number_of(double{});
        return number.is_double() && !std::isfinite(number.get_double()) ? json::value(text) : number;
    }
    if (field.type == FieldType::boolean && (text == "true" || text == "false")) return text == "true";
    return json::value(text);
}

void add_choices(json::object& schema, const Field& field) {
    if (field.choices.empty()) return;
    json::array choices;
    for (const std::string_view choice : field.choices)
        choices.emplace_back(choice);
    schema["enum"] = std::move(choices);
}

json::object text_schema(const Field& field) {
    json::object schema{{"type", "string"}};
    if (field.type == FieldType::uuid) schema["format"] = "uuid";
    if (field.type == FieldType::time) schema["format"] = "date-time";
    if (field.type == FieldType::text && field.least) schema["minLength"] = static_cast<std::int64_t>(*field.least);
    if (field.type == FieldType::text && field.most) schema["maxLength"] = static_cast<std::int64_t>(*field.most);
    if (field.not_blank) schema["pattern"] = R"([^ \t\n\v\f\r])";
    add_choices(schema, field);
    return schema;
}

json::object number_schema(const Field& field) {
    const bool is_integer = field.type == FieldType::integer;
    json::object schema{{"type", is_integer ? "integer" : "number"}};
    const auto bound = [&](double value) {
        return is_integer ? json::value(static_cast<std::int64_t>(value)) : json::value(value);
    };
    if (field.least) schema["minimum"] = bound(*field.least);
    if (field.most) schema["maximum"] = bound(*field.most);
    return schema;
}

json::object reference_to(const Shape& shape) {
    return {{"$ref", fmt::format("#/components/schemas/{}", shape.name)}};
}

json::object array_schema(const Field& field) {
    json::object schema{{"type", "array"}};
    json::object items =
        field.type == FieldType::objects ? reference_to(*field.shape) : json::object{{"type", "string"}};
    if (field.type == FieldType::uuids) items["format"] = "uuid";
    add_choices(items, field);
    schema["items"] = std::move(items);
    if (field.least) schema["minItems"] = static_cast<std::int64_t>(*field.least);
    if (field.most) schema["maxItems"] = static_cast<std::int64_t>(*field.most);
    return schema;
}

json::object bare_schema(const Field& field) {
    switch (field.type) {
        case FieldType::text:
        case FieldType::uuid:
        case FieldType::time:
            return text_schema(field);
        case FieldType::integer:
        case FieldType::number:
            return number_schema(field);
        case FieldType::boolean:
            return {{"type", "boolean"}};
        case FieldType::object:
            return reference_to(*field.shape);
        case FieldType::any_object:
            return {{"type", "object"}};
        case FieldType::text_or_texts:
            return {{"anyOf", json::array{json::object{{"type", "string"}, {"minLength", 1}}, array_schema(field)}}};
        case FieldType::text_or_numbers:
            return {
                {"anyOf", json::array{json::object{{"type", "string"}},
                                      json::object{{"type", "array"}, {"items", json::object{{"type", "number"}}}}}}};
        case FieldType::texts:
        case FieldType::uuids:
        case FieldType::objects:
            return array_schema(field);
    }
    return {};
}

}  // namespace

json::object checked(const Shape& shape, json::object given) {
    return checked_at(shape, std::move(given), "");
}

json::object checked_query(const Shape& shape, std::string_view query) {
    json::object given;
    while (!query.empty()) {
        const std::size_t end = std::min(query.find('&'), query.size());
        const std::string_view pair = query.substr(0, end);
        query.remove_prefix(std::min(end + 1, query.size()));
        if (pair.empty()) continue;
        const std::size_t equals = std::min(pair.find('='), pair.size());
        const std::string name = query_part(pair.substr(0, equals));
        const std::string text = query_part(pair.substr(std::min(equals + 1, pair.size())));
        if (valid_utf8(name) != name || valid_utf8(text) != text) malformed("/" + name, "is not UTF-8");
        const auto field = std::ranges::find(shape.fields, std::string_view{name}, &Field::name);
        if (field == shape.fields.end()) malformed("/" + name, "is no parameter of this call");
        if (given.contains(name)) malformed("/" + name, "is given twice");
        given[name] = value_of(*field, text);
    }
    return checked(shape, std::move(given));
}

void check_path(const Field& field, std::string_view text) {
    check_text(field, text, fmt::format("/{}", field.name));
}

json::object schema_of(const Field& field) {
    json::object schema = bare_schema(field);
    if (field.nullable) {
        if (schema.contains("enum")) schema["enum"].as_array().emplace_back(nullptr);
        if (schema.contains("type"))
            schema["type"] = json::array{schema["type"], "null"};
        else
            schema = {{"anyOf", json::array{std::move(schema), json::object{{"type", "null"}}}}};
    }
    if (!field.about.empty()) schema["description"] = field.about;
    if (!field.fallback.is_null()) schema["default"] = field.fallback;
    return schema;
}

json::object schema_of(const Shape& shape) {
    json::object properties;
    json::array required;
    for (const Field& field : shape.fields) {
        properties[field.name] = schema_of(field);
        if (field.required) required.emplace_back(field.name);
    }
    json::object schema{{"type", "object"}, {"properties", std::move(properties)}, {"additionalProperties", false}};
    if (!required.empty()) schema["required"] = std::move(required);
    if (!shape.one_of.empty()) schema["oneOf"] = each_required(shape.one_of);
    if (!shape.any_of.empty()) schema["anyOf"] = each_required(shape.any_of);
    return schema;
}

}  // namespace decant::api
