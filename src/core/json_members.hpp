#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/json.hpp"

namespace decant {

/// The member, where it is there and not null. Lives as long as `object`.
inline const json::value* given_member(const json::object& object, std::string_view name) {
    const json::value* value = object.if_contains(name);
    return value == nullptr || value->is_null() ? nullptr : value;
}

/// None where it is not there or no string.
inline std::optional<std::string> text_member(const json::object& object, std::string_view name) {
    const json::value* value = object.if_contains(name);
    return value != nullptr && value->is_string() ? std::optional{std::string{value->get_string()}} : std::nullopt;
}

/// None where it is not there or no number.
inline std::optional<double> number_member(const json::object& object, std::string_view name) {
    const json::value* value = object.if_contains(name);
    return value != nullptr && value->is_number() ? std::optional{value->to_number<double>()} : std::nullopt;
}

/// Whether it is true.
inline bool is_set(const json::object& object, std::string_view name) {
    const json::value* value = object.if_contains(name);
    return value != nullptr && value->is_bool() && value->get_bool();
}

template <typename Value>
json::value or_null(const std::optional<Value>& value) {
    return value ? json::value(*value) : json::value(nullptr);
}

/// Of a text that is empty where there is none.
inline json::value text_or_null(const std::string& text) {
    return text.empty() ? json::value(nullptr) : json::value(text);
}

}  // namespace decant
