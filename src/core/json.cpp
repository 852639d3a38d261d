#include "core/json.hpp"

#include <boost/json/src.hpp>

#include <array>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "core/utf8.hpp"

namespace decant {
namespace {

void append_string(std::string& out, std::string_view text) {
    // boost::json escapes what must be escaped and passes valid UTF-8 through.
    out += json::serialize(json::string(valid_utf8(text)));
}

void append(std::string& out, const json::value& value);

void append_array(std::string& out, const json::array& array) {
    out += '[';
    bool is_first = true;
    for (const json::value& element : array) {
        if (!is_first) out += ',';
        is_first = false;
        append(out, element);
    }
    out += ']';
}

void append_object(std::string& out, const json::object& object) {
    out += '{';
    bool is_first = true;
    for (const json::key_value_pair& entry : object) {
        if (!is_first) out += ',';
        is_first = false;
        append_string(out, {entry.key().data(), entry.key().size()});
        out += ':';
        append(out, entry.value());
    }
    out += '}';
}

void append(std::string& out, const json::value& value) {
    if (const json::object* object = value.if_object()) {
        append_object(out, *object);
    } else if (const json::array* array = value.if_array()) {
        append_array(out, *array);
    } else if (const json::string* string = value.if_string()) {
        append_string(out, {string->data(), string->size()});
    } else if (const double* number = value.if_double()) {
        out += std::isfinite(*number) ? fmt::format("{}", *number) : "null";
    } else {
        out += json::serialize(value);
    }
}

}  // namespace

std::string json_text(const json::value& value) {
    std::string out;
    append(out, value);
    return out;
}

std::string json_text(std::span<const float> values) {
    std::string out = "[";
    std::array<char, 32> digits{};
    for (const float value : values) {
        const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
        const std::string_view text{digits.data(), static_cast<std::size_t>(end - digits.data())};
        out.append(out.size() > 1 ? "," : "").append(text);
        if (text.find_first_of(".e") == std::string_view::npos) out += ".0";
    }
    return out + "]";
}

}  // namespace decant
