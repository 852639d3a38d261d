#include "search/detail/regex_class.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "core/error.hpp"

namespace decant::search::detail {
namespace {

std::optional<CharacterSet> find_set(const std::string& pattern) {
    UErrorCode status = U_ZERO_ERROR;
    CharacterSet set{icu::UnicodeString::fromUTF8(pattern), status};
    if (U_FAILURE(status) != 0) return std::nullopt;
    return set;
}

CharacterSet known_set(const std::string& pattern) {
    auto set = find_set(pattern);
    if (!set) throw Error{ErrorCode::internal, "ICU has no set " + pattern, "Install ICU anew."};
    return *std::move(set);
}

struct PosixClass {
    std::string_view name;
    const char* pattern;
};

constexpr std::array<PosixClass, 14> posix_classes{{
    {"alnum", "[0-9A-Za-z]"},
    {"alpha", "[A-Za-z]"},
    {"ascii", "[\\u0000-\\u007F]"},
    {"blank", "[\\u0009\\u0020]"},
    {"cntrl", "[\\u0000-\\u001F\\u007F]"},
    {"digit", "[0-9]"},
    {"graph", "[\\u0021-\\u007E]"},
    {"lower", "[a-z]"},
    {"print", "[\\u0020-\\u007E]"},
    {"punct", "[\\u0021-\\u002F\\u003A-\\u0040\\u005B-\\u0060\\u007B-\\u007E]"},
    {"space", "[\\u0009-\\u000D\\u0020]"},
    {"upper", "[A-Z]"},
    {"word", "[0-9A-Za-z_]"},
    {"xdigit", "[0-9A-Fa-f]"},
}};

void append_character(std::string& out, UChar32 character) {
    if (character >= 0x80 || (character >= '0' && character <= '9') || (character >= 'A' && character <= 'Z') ||
        (character >= 'a' && character <= 'z')) {
        icu::UnicodeString{character}.toUTF8String(out);
    } else {
        fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(character));
    }
}

}  // namespace

const CharacterSet& word_characters() {
    // Unicode Technical Standard 18, Annex C, "word".
    static const CharacterSet set = known_set("[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}]");
    return set;
}

const CharacterSet& digit_characters() {
    static const CharacterSet set = known_set("[\\p{Nd}]");
    return set;
}

const CharacterSet& space_characters() {
    static const CharacterSet set = known_set("[\\p{White_Space}]");
    return set;
}

std::optional<CharacterSet> posix_class(std::string_view name) {
    const auto found = std::ranges::find(posix_classes, name, &PosixClass::name);
    return found == posix_classes.end() ? std::nullopt : std::optional{known_set(found->pattern)};
}

std::optional<CharacterSet> property_class(std::string_view name) {
    std::string pattern = "[\\p{";
    for (const char c : name) {
        const bool is_word = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (!is_word && std::string_view{"_- =:"}.find(c) == std::string_view::npos) return std::nullopt;
        pattern += c == ':' ? '=' : c;
    }
    return find_set(pattern + "}]");
}

void fold_case(CharacterSet& set) {
    set.closeOver(USET_CASE_INSENSITIVE);
    set.removeAllStrings();
}

std::optional<std::string> character(UChar32 code_point) {
    if (code_point == 0 || (code_point >= 0xd800 && code_point < 0xe000)) return std::nullopt;
    std::string out;
    append_character(out, code_point);
    return out;
}

std::optional<std::string> bracket(const CharacterSet& set) {
    CharacterSet kept{set};
    kept.remove(0, 0).remove(0xd800, 0xdfff);
    if (kept.isEmpty()) return std::nullopt;
    std::string out = "[";
    for (std::int32_t range = 0; range < kept.getRangeCount(); ++range) {
        append_character(out, kept.getRangeStart(range));
        if (kept.getRangeStart(range) == kept.getRangeEnd(range)) continue;
        out += "-";
        append_character(out, kept.getRangeEnd(range));
    }
    return out + "]";
}

}  // namespace decant::search::detail
