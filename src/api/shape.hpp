#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.hpp"

namespace decant::api {

struct Shape;

enum class FieldType {
    text,
    uuid,
    time,
    integer,
    number,
    boolean,
    object,
    texts,
    uuids,
    objects,
    any_object,
    text_or_texts,
    text_or_numbers
};

/// One member of a JSON object, or one parameter of a query. A request is checked against it, and the OpenAPI document
/// says it.
struct Field {
    std::string_view name;
    FieldType type = FieldType::text;
    std::string_view about = {};
    bool required = false;
    std::optional<double> least = {};  ///< a number; of a text its characters, of an array its elements
    std::optional<double> most = {};
    json::value fallback = nullptr;              ///< taken where it is not given; null: it stays away
    std::vector<std::string_view> choices = {};  ///< of a text, or of each of several
    const Shape* shape = nullptr;                ///< of object and objects
    bool nullable = false;
    bool not_blank = false;  ///< of a text: blanks alone are none
};

/// An object that has these members and no others.
struct Shape {
    std::string_view name;  ///< in the OpenAPI document
    std::vector<Field> fields;
    std::vector<std::string_view> one_of = {};  ///< exactly one of these members is given
    std::vector<std::string_view> any_of = {};  ///< at least one of these is
};

/// The object with fallbacks filled in. Throws Error{request_malformed} for a member that is unknown, missing or of
/// another type, Error{request_invalid} for a value out of its range; both name the member by its JSON pointer.
json::object checked(const Shape& shape, json::object given);

/// The same of a query ("a=1&b=x", percent-encoded). A parameter may be given once.
json::object checked_query(const Shape& shape, std::string_view query);

/// One {name} of a path, which is a text or a UUID. Throws as checked().
void check_path(const Field& field, std::string_view text);

/// JSON Schema (2020-12, as OpenAPI 3.1 has it). Shapes that are named by others are references to components.
json::object schema_of(const Field& field);
json::object schema_of(const Shape& shape);

}  // namespace decant::api
