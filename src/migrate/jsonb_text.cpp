#include "migrate/jsonb_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <string_view>
#include <vector>

namespace decant::migrate {
namespace {

void append_string(std::string& out, std::string_view text) {
    out.push_back('"');
    std::size_t clean_from = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\') continue;
        out.append(text.substr(clean_from, i - clean_from));
        clean_from = i + 1;
        constexpr std::string_view named = "\"\\\b\f\n\r\t";
        constexpr std::string_view letters = "\"\\bfnrt";
        if (const std::size_t which = named.find(c); which != std::string_view::npos)
            out.append({'\\', letters[which]});
        else
            fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
    }
    out.append(text.substr(clean_from));
    out.push_back('"');
}

/// Shortest digits that read back as the same double, written out without exponent.
void append_double(std::string& out, double value) {
    std::array<char, 32> buffer{};
    const auto end =
        std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::scientific).ptr;
    std::string_view text{buffer.data(), static_cast<std::size_t>(end - buffer.data())};
    if (text.front() == '-') {
        // numeric has no negative zero
        if (value != 0) out.push_back('-');
        text.remove_prefix(1);
    }
    const std::size_t e = text.find('e');
    int exponent = 0;
    const std::string_view power = text.substr(text[e + 1] == '+' ? e + 2 : e + 1);
    std::from_chars(power.data(), power.data() + power.size(), exponent);
    std::string digits{text.substr(0, 1)};
    if (e > 2) digits.append(text.substr(2, e - 2));
    const auto whole = static_cast<std::ptrdiff_t>(exponent) + 1;  // digits before the point
    const auto count = static_cast<std::ptrdiff_t>(digits.size());
    if (whole <= 0) {
        out.append("0.").append(static_cast<std::size_t>(-whole), '0').append(digits);
    } else if (whole >= count) {
        out.append(digits).append(static_cast<std::size_t>(whole - count), '0').append(".0");
    } else {
        out.append(digits, 0, static_cast<std::size_t>(whole))
            .append(".")
            .append(digits, static_cast<std::size_t>(whole));
    }
}

struct AppendScalar {
    std::string& out;
    void operator()(bool value) const { out.append(value ? "true" : "false"); }
    void operator()(std::int64_t value) const { fmt::format_to(std::back_inserter(out), "{}", value); }
    void operator()(double value) const { append_double(out, value); }
    void operator()(std::string_view value) const { append_string(out, value); }
};

struct AppendValue {
    std::string& out;
    void operator()(const chroma::Scalar& value) const { std::visit(AppendScalar{out}, value); }
    void operator()(std::span<const chroma::Scalar> list) const {
        out.push_back('[');
        for (std::size_t i = 0; i < list.size(); ++i) {
            if (i > 0) out.append(", ");
            std::visit(AppendScalar{out}, list[i]);
        }
        out.push_back(']');
    }
};

}  // namespace

std::string jsonb_text(std::span<const chroma::MetadataEntry> metadata) {
    std::vector<const chroma::MetadataEntry*> sorted;
    sorted.reserve(metadata.size());
    for (const chroma::MetadataEntry& entry : metadata)
        sorted.push_back(&entry);
    std::sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) {
        return a->key.size() != b->key.size() ? a->key.size() < b->key.size() : a->key < b->key;
    });
    std::string out = "{";
    for (const chroma::MetadataEntry* entry : sorted) {
        if (out.size() > 1) out.append(", ");
        append_string(out, entry->key);
        out.append(": ");
        std::visit(AppendValue{out}, entry->value);
    }
    out.push_back('}');
    return out;
}

}  // namespace decant::migrate
