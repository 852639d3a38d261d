#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace decant::chroma::detail {

struct Json;
struct JsonMember;
using JsonArray = std::vector<Json>;
using JsonObject = std::vector<JsonMember>;  ///< in the text's order

/// JSON as Python's and serde's writers give it. Its own small reader because Boost.JSON 1.81 rounds some doubles
/// wrongly in the last place and refuses the NaN and Infinity that Python writes.
struct Json {
    std::variant<std::nullptr_t, bool, std::int64_t, double, std::string, JsonArray, JsonObject> value;

    /// The member, or null when this is no object or has none; of two with one name the last, as in Python.
    const Json* find(std::string_view name) const noexcept;
    const std::string* text() const noexcept { return std::get_if<std::string>(&value); }
    bool is_null() const noexcept { return std::holds_alternative<std::nullptr_t>(value); }
};

struct JsonMember {
    std::string name;
    Json value;
};

/// None when `text` is not one JSON document, or is nested deeper than 64.
std::optional<Json> parse_json(std::string_view text);

/// The member at the end of a path of names, or null.
const Json* find_path(const Json& root, std::initializer_list<std::string_view> names) noexcept;

}  // namespace decant::chroma::detail
