#include "chroma/detail/json.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

namespace decant::chroma::detail {
namespace {

constexpr int deepest = 64;

void append_utf8(std::string& out, std::uint32_t code_point) {
    constexpr std::array<std::uint32_t, 4> leads{0, 0xc0, 0xe0, 0xf0};
    const auto put = [&out](std::uint32_t byte) { out.push_back(static_cast<char>(static_cast<unsigned char>(byte))); };
    std::size_t more = 0;
    for (const std::uint32_t longer_from : {0x80U, 0x800U, 0x10000U})
        more += code_point >= longer_from ? 1U : 0U;
    put(leads[more] | code_point >> (6 * more));
    while (more-- > 0)
        put(0x80U | (code_point >> (6 * more) & 0x3fU));
}

class Parser {
public:
    explicit Parser(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) {}

    std::optional<Json> document() {
        Json root;
        if (!parse_value(root, 0)) return std::nullopt;
        skip_space();
        return at_ == end_ ? std::optional{std::move(root)} : std::nullopt;
    }

private:
    void skip_space() {
        while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\t' || *at_ == '\r'))
            ++at_;
    }

    bool take(char wanted) {
        const bool is_there = at_ != end_ && *at_ == wanted;
        at_ += is_there ? 1 : 0;
        return is_there;
    }

    bool take_word(std::string_view word) {
        const bool is_there = std::string_view{at_, static_cast<std::size_t>(end_ - at_)}.starts_with(word);
        at_ += is_there ? word.size() : 0;
        return is_there;
    }

    template <typename T>
    bool take_word(std::string_view word, Json& out, T meaning) {
        if (!take_word(word)) return false;
        out.value = meaning;
        return true;
    }

    bool parse_value(Json& out, int depth) {
        using Real = std::numeric_limits<double>;
        skip_space();
        if (at_ == end_ || depth > deepest) return false;
        switch (*at_) {
            case '{':
                return parse_object(out.value.emplace<JsonObject>(), depth);
            case '[':
                return parse_array(out.value.emplace<JsonArray>(), depth);
            case '"':
                return parse_string(out.value.emplace<std::string>());
            default:
                return take_word("null", out, nullptr) || take_word("true", out, true) ||
                       take_word("false", out, false) || take_word("NaN", out, Real::quiet_NaN()) ||
                       take_word("Infinity", out, Real::infinity()) || take_word("-Infinity", out, -Real::infinity()) ||
                       parse_number(out);
        }
    }

    /// What stands between `open` and `close`, parted by commas.
    template <typename Each>
    bool parse_list(char open, char close, Each parse_each) {
        take(open);
        skip_space();
        if (take(close)) return true;
        do {
            if (!parse_each()) return false;
            skip_space();
        } while (take(','));
        return take(close);
    }

    bool parse_object(JsonObject& out, int depth) {
        return parse_list('{', '}', [&] {
            auto& [name, value] = out.emplace_back();
            skip_space();
            if (!parse_string(name)) return false;
            skip_space();
            return take(':') && parse_value(value, depth + 1);
        });
    }

    bool parse_array(JsonArray& out, int depth) {
        return parse_list('[', ']', [&] { return parse_value(out.emplace_back(), depth + 1); });
    }

    bool parse_string(std::string& out) {
        if (!take('"')) return false;
        while (at_ != end_) {
            const char c = *at_++;
            if (c == '"') return true;
            if (c != '\\')
                out.push_back(c);
            else if (!parse_escape(out))
                return false;
        }
        return false;
    }

    bool parse_escape(std::string& out) {
        constexpr std::string_view letters = "\"\\/bfnrt";
        constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
        if (take('u')) return parse_code_point(out);
        const std::size_t which = at_ == end_ ? std::string_view::npos : letters.find(*at_++);
        if (which == std::string_view::npos) return false;
        out.push_back(meanings[which]);
        return true;
    }

    bool parse_hex4(std::uint32_t& out) {
        if (end_ - at_ < 4) return false;
        const auto [stop, error] = std::from_chars(at_, at_ + 4, out, 16);
        const bool is_whole = error == std::errc{} && stop == at_ + 4;
        at_ += 4;
        return is_whole;
    }

    bool parse_code_point(std::string& out) {
        std::uint32_t code_point = 0;
        if (!parse_hex4(code_point)) return false;
        if (code_point >= 0xd800 && code_point < 0xdc00) {
            std::uint32_t low = 0;
            if (!take('\\') || !take('u') || !parse_hex4(low) || low < 0xdc00 || low > 0xdfff) return false;
            code_point = 0x10000U + ((code_point - 0xd800U) << 10U) + (low - 0xdc00U);
        } else if (code_point >= 0xdc00 && code_point < 0xe000) {
            return false;
        }
        append_utf8(out, code_point);
        return true;
    }

    template <typename Number>
    bool parse_whole_run(const char* stop, Json& out) {
        Number number{};
        const auto parsed = std::from_chars(at_, stop, number);
        if (parsed.ec != std::errc{} || parsed.ptr != stop) return false;
        out.value = number;
        at_ = stop;
        return true;
    }

    /// A whole number that does not fit std::int64_t is a double. One beyond double's range is refused: Chroma's
    /// numbers come from doubles, so none is.
    bool parse_number(Json& out) {
        const auto ends_at = [this](std::string_view characters) {
            return std::find_if(at_, end_, [&](char c) { return characters.find(c) == std::string_view::npos; });
        };
        const char* stop = ends_at("0123456789+-.eE");
        const bool is_whole = ends_at("0123456789+-") == stop;
        return (is_whole && parse_whole_run<std::int64_t>(stop, out)) || parse_whole_run<double>(stop, out);
    }

    const char* at_;
    const char* end_;
};

}  // namespace

const Json* Json::find(std::string_view name) const noexcept {
    const auto* members = std::get_if<JsonObject>(&value);
    if (members == nullptr) return nullptr;
    const auto found =
        std::find_if(members->rbegin(), members->rend(), [name](const auto& member) { return member.name == name; });
    return found == members->rend() ? nullptr : &found->value;
}

std::optional<Json> parse_json(std::string_view text) {
    return Parser{text}.document();
}

const Json* find_path(const Json& root, std::initializer_list<std::string_view> names) noexcept {
    const Json* at = &root;
    for (const std::string_view name : names)
        at = at != nullptr ? at->find(name) : nullptr;
    return at;
}

}  // namespace decant::chroma::detail
