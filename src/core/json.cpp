#include "core/json.hpp"

#include <boost/json/src.hpp>

#include <array>
#include <charconv>
#include <cmath>
#include <iterator>

#include <fmt/format.h>

#include "core/utf8.hpp"

namespace decant {
namespace {

/// What a byte does to a string's text: most stand for themselves.
enum class Byte : unsigned char { plain, escaped, not_ascii };

constexpr std::array<Byte, 256> kinds = [] {
    std::array<Byte, 256> all{};
    for (std::size_t byte = 0; byte < all.size(); ++byte)
        all[byte] = byte < 0x20 || byte == '"' || byte == '\\' ? Byte::escaped
                    : byte < 0x80                              ? Byte::plain
                                                               : Byte::not_ascii;
    return all;
}();

/// RFC 8259, 7: the short form where there is one.
void append_escaped(std::string& out, char character) {
    constexpr std::string_view shortened = "\"\\\b\f\n\r\t";
    constexpr std::string_view letters = "\"\\bfnrt";
    constexpr std::string_view hexadecimal = "0123456789abcdef";
    if (const std::size_t at = shortened.find(character); at != std::string_view::npos) {
        out += {'\\', letters[at]};
        return;
    }
    const auto code = static_cast<unsigned char>(character);
    out += {'\\', 'u', '0', '0', hexadecimal[code >> 4U], hexadecimal[code & 0xfU]};
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
        append_json(out, std::string_view{entry.key()});
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
        append_json(out, std::string_view{*string});
    } else if (const double* number = value.if_double()) {
        if (std::isfinite(*number))
            fmt::format_to(std::back_inserter(out), "{}", *number);
        else
            out += "null";
    } else if (const bool* truth = value.if_bool()) {
        out += *truth ? "true" : "false";
    } else if (const std::int64_t* signed_number = value.if_int64()) {
        out += fmt::format_int{*signed_number}.c_str();
    } else if (const std::uint64_t* number_above = value.if_uint64()) {
        out += fmt::format_int{*number_above}.c_str();
    } else {
        out += "null";
    }
}

}  // namespace

void append_json(std::string& out, std::string_view text) {
    out += '"';
    std::size_t begin = 0;  // of what stands for itself
    for (std::size_t at = 0; at < text.size();) {
        const Byte kind = kinds[static_cast<unsigned char>(text[at])];
        const std::size_t length = kind == Byte::not_ascii ? utf8_length(text.substr(at)) : 1;
        if (kind == Byte::escaped || length == 0) {
            out += text.substr(begin, at - begin);
            if (kind == Byte::escaped)
                append_escaped(out, text[at]);
            else
                out += replacement_character;
            begin = ++at;
        } else {
            at += length;
        }
    }
    out += text.substr(begin);
    out += '"';
}

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
