#include "chroma/detail/json.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

namespace decant::chroma::detail {
namespace {

constexpr int deepest = 64;

void append_utf8(std::string& out, std::uint32_t code_point) {
    const auto put = [&out](std::uint32_t byte) { out.push_back(static_cast<char>(static_cast<unsigned char>(byte))); };
    if (code_point < 0x80) {
        put(code_point);
    } else if (code_point < 0x800) {
        put(0xc0U | code_point >> 6U);
        put(0x80U | (code_point & 0x3fU));
    } else if (code_point < 0x10000) {
        put(0xe0U | code_point >> 12U);
        put(0x80U | (code_point >> 6U & 0x3fU));
        put(0x80U | (code_point & 0x3fU));
    } else {
        put(0xf0U | code_point >> 18U);
        put(0x80U | (code_point >> 12U & 0x3fU));
        put(0x80U | (code_point >> 6U & 0x3fU));
        put(0x80U | (code_point & 0x3fU));
    }
}

class Parser {
public:
    explicit Parser(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) {}

    std::optional<Json> document() {
        Json root;
        if (!parse_value(root, 0)) {
            return std::nullopt;
        }
        skip_space();
        return at_ == end_ ? std::optional{std::move(root)} : std::nullopt;
    }

private:
    void skip_space() {
        while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\t' || *at_ == '\r')) {
            ++at_;
        }
    }

    bool take(char wanted) {
        if (at_ == end_ || *at_ != wanted) {
            return false;
        }
        ++at_;
        return true;
    }

    bool take_word(std::string_view word) {
        if (static_cast<std::size_t>(end_ - at_) < word.size() || std::string_view{at_, word.size()} != word) {
            return false;
        }
        at_ += word.size();
        return true;
    }

    bool parse_value(Json& out, int depth) {
        skip_space();
        if (at_ == end_ || depth > deepest) {
            return false;
        }
        switch (*at_) {
            case '{':
                return parse_object(out.value.emplace<JsonObject>(), depth);
            case '[':
                return parse_array(out.value.emplace<JsonArray>(), depth);
            case '"':
                return parse_string(out.value.emplace<std::string>());
            case 'n':
                return take_word("null");
            case 't':
                out.value = true;
                return take_word("true");
            case 'f':
                out.value = false;
                return take_word("false");
            case 'N':
                out.value = std::numeric_limits<double>::quiet_NaN();
                return take_word("NaN");
            case 'I':
                out.value = std::numeric_limits<double>::infinity();
                return take_word("Infinity");
            default:
                return parse_number(out);
        }
    }

    bool parse_object(JsonObject& out, int depth) {
        take('{');
        skip_space();
        if (take('}')) {
            return true;
        }
        do {
            skip_space();
            auto& [name, value] = out.emplace_back();
            if (!parse_string(name)) {
                return false;
            }
            skip_space();
            if (!take(':') || !parse_value(value, depth + 1)) {
                return false;
            }
            skip_space();
        } while (take(','));
        return take('}');
    }

    bool parse_array(JsonArray& out, int depth) {
        take('[');
        skip_space();
        if (take(']')) {
            return true;
        }
        do {
            if (!parse_value(out.emplace_back(), depth + 1)) {
                return false;
            }
            skip_space();
        } while (take(','));
        return take(']');
    }

    bool parse_string(std::string& out) {
        if (!take('"')) {
            return false;
        }
        while (at_ != end_) {
            const char c = *at_++;
            if (c == '"') {
                return true;
            }
            if (c != '\\') {
                out.push_back(c);
            } else if (!parse_escape(out)) {
                return false;
            }
        }
        return false;
    }

    bool parse_escape(std::string& out) {
        if (at_ == end_) {
            return false;
        }
        switch (*at_++) {
            case '"':
                out.push_back('"');
                return true;
            case '\\':
                out.push_back('\\');
                return true;
            case '/':
                out.push_back('/');
                return true;
            case 'b':
                out.push_back('\b');
                return true;
            case 'f':
                out.push_back('\f');
                return true;
            case 'n':
                out.push_back('\n');
                return true;
            case 'r':
                out.push_back('\r');
                return true;
            case 't':
                out.push_back('\t');
                return true;
            case 'u':
                return parse_code_point(out);
            default:
                return false;
        }
    }

    bool parse_hex4(std::uint32_t& out) {
        if (end_ - at_ < 4) {
            return false;
        }
        const auto [stop, error] = std::from_chars(at_, at_ + 4, out, 16);
        const bool is_whole = error == std::errc{} && stop == at_ + 4;
        at_ += 4;
        return is_whole;
    }

    bool parse_code_point(std::string& out) {
        std::uint32_t code_point = 0;
        if (!parse_hex4(code_point)) {
            return false;
        }
        if (code_point >= 0xd800 && code_point < 0xdc00) {
            std::uint32_t low = 0;
            if (!take('\\') || !take('u') || !parse_hex4(low) || low < 0xdc00 || low > 0xdfff) {
                return false;
            }
            code_point = 0x10000U + ((code_point - 0xd800U) << 10U) + (low - 0xdc00U);
        } else if (code_point >= 0xdc00 && code_point < 0xe000) {
            return false;
        }
        append_utf8(out, code_point);
        return true;
    }

    bool parse_number(Json& out) {
        if (take_word("-Infinity")) {
            out.value = -std::numeric_limits<double>::infinity();
            return true;
        }
        const char* stop = std::find_if(at_, end_, [](char c) {
            return (c < '0' || c > '9') && c != '-' && c != '+' && c != '.' && c != 'e' && c != 'E';
        });
        if (std::find_if(at_, stop, [](char c) { return c == '.' || c == 'e' || c == 'E'; }) == stop) {
            std::int64_t whole = 0;
            const auto parsed = std::from_chars(at_, stop, whole);
            if (parsed.ec == std::errc{} && parsed.ptr == stop) {
                out.value = whole;
                at_ = stop;
                return true;
            }
        }
        double real = 0;
        const auto parsed = std::from_chars(at_, stop, real);
        // Beyond double's range from_chars leaves the value alone; Chroma's numbers come from doubles, so none is.
        if (parsed.ec != std::errc{} || parsed.ptr != stop) {
            return false;
        }
        out.value = real;
        at_ = stop;
        return true;
    }

    const char* at_;
    const char* end_;
};

}  // namespace

const Json* Json::find(std::string_view name) const noexcept {
    const auto* members = std::get_if<JsonObject>(&value);
    if (members == nullptr) {
        return nullptr;
    }
    const auto found =
        std::find_if(members->rbegin(), members->rend(), [name](const auto& member) { return member.name == name; });
    return found == members->rend() ? nullptr : &found->value;
}

std::optional<Json> parse_json(std::string_view text) {
    return Parser{text}.document();
}

const Json* find_path(const Json& root, std::initializer_list<std::string_view> names) noexcept {
    const Json* at = &root;
    for (const std::string_view name : names) {
        at = at != nullptr ? at->find(name) : nullptr;
    }
    return at;
}

}  // namespace decant::chroma::detail
