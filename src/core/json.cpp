#include "core/json.hpp"

#include <boost/json/src.hpp>

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

}  // namespace decant
