#include "search/detail/regex.hpp"

#include <fmt/format.h>

#include <set>

#include "core/utf8.hpp"
#include "search/detail/regex_class.hpp"

namespace decant::search::detail {
namespace {

constexpr unsigned most_repetitions = 255;  // PostgreSQL's RE_DUP_MAX
constexpr std::size_t most_bytes = 4'096;
constexpr std::size_t most_sets = 200;
constexpr int deepest = 64;

[[noreturn]] void refuse(std::string happened, std::string remedy = "See docs.rs/regex for the syntax.") {
    throw RegexFault{.happened = std::move(happened), .remedy = std::move(remedy)};
}

struct Flags {
    bool ignores_case = false;
    bool is_multi_line = false;
    bool dot_is_all = false;
};

/// Reads an expression character by character and gives PostgreSQL's as it goes.
class Translator {
public:
    explicit Translator(std::string_view pattern) {
        if (pattern.size() > most_bytes)
            refuse(fmt::format("an expression of {} bytes", pattern.size()),
                   fmt::format("Give at most {}.", most_bytes));
        text_ =
            icu::UnicodeString::fromUTF8(icu::StringPiece{pattern.data(), static_cast<std::int32_t>(pattern.size())});
    }

    std::string translate() {
        std::string out = alternatives(Flags{}, 0);
        if (!is_end()) refuse("a parenthesis is closed that was not opened", "Write \\) for the character.");
        return out;
    }

private:
    bool is_end() const { return at_ >= text_.length(); }
    UChar32 peek() const { return is_end() ? -1 : text_.char32At(at_); }
    UChar32 peek_after() const {
        const std::int32_t next = text_.moveIndex32(at_, 1);
        return is_end() || next >= text_.length() ? -1 : text_.char32At(next);
    }
    UChar32 next() {
        const UChar32 character = peek();
        if (character < 0) refuse("the expression ends too early");
        at_ = text_.moveIndex32(at_, 1);
        return character;
    }
    bool take(std::string_view ascii) {
        const auto word =
            icu::UnicodeString::fromUTF8(icu::StringPiece{ascii.data(), static_cast<std::int32_t>(ascii.size())});
        if (!text_.tempSubString(at_).startsWith(word)) return false;
        at_ += word.length();
        return true;
    }
    /// What stands before `close`, which is taken too.
    std::string take_until(char close) {
        const std::int32_t end = text_.indexOf(static_cast<char16_t>(close), at_);
        if (end < 0) refuse(fmt::format("'{}' is missing", close));
        std::string out;
        text_.tempSubStringBetween(at_, end).toUTF8String(out);
        at_ = end + 1;
        return out;
    }

    std::string alternatives(Flags flags, int depth) {
        if (depth > deepest) refuse("groups are nested too deep", fmt::format("Nest at most {}.", deepest));
        std::string out;
        while (!is_end() && peek() != ')') {
            if (take("|")) {
                out += "|";
            } else if (!take_flags(flags)) {
                if (std::u32string_view{U"*+?{"}.find(static_cast<char32_t>(peek())) != std::u32string_view::npos)
                    refuse("a repetition without anything to repeat",
                           "Write \\ before *, +, ? and { for the characters.");
                out += repeated(atom(flags, depth));
            }
        }
        return out;
    }

    /// "(?im-s)": flags for the rest of the group. "(?i:" is a group and stays.
    bool take_flags(Flags& flags) {
        const std::int32_t start = at_;
        if (!take("(?")) return false;
        if (peek() == ')') refuse("a repetition without anything to repeat");
        if (peek() != ':' && peek() != '<' && peek() != 'P' && peek() != '=' && peek() != '!') {
            Flags changed = flags;
            if (read_flags(changed) == ')') {
                flags = changed;
                return true;
            }
        }
        at_ = start;
        return false;
    }

    /// Up to the ')' or ':' that ends them, which is given.
    UChar32 read_flags(Flags& flags) {
        bool value = true;
        bool is_open = true;  // a minus wants flags after it
        std::set<UChar32> seen;
        for (UChar32 c = next();; c = next()) {
            if (c == ')' || c == ':') {
                if (!is_open) refuse("a minus without flags after it");
                return c;
            }
            if (c == '-' ? !value : !seen.insert(c).second) refuse("a flag stands twice");
            is_open = c != '-';
            if (c == '-') {
                value = false;
            } else if (c == 'i') {
                flags.ignores_case = value;
            } else if (c == 'm') {
                flags.is_multi_line = value;
            } else if (c == 's') {
                flags.dot_is_all = value;
            } else if ((c == 'x' || c == 'R' || c == 'u') && value != (c == 'u')) {
                refuse(fmt::format("the flag {}{} is not translated to PostgreSQL", value ? "" : "-",
                                   static_cast<char>(c)),
                       "Write the expression without it.");
            } else if (c != 'U' && c != 'x' && c != 'R' && c != 'u') {
                refuse("there is no such flag", "The flags are i, m, s, U and u.");
            }
        }
    }

    std::string atom(Flags flags, int depth) {
        const UChar32 c = next();
        switch (c) {
            case '(':
                return group(flags, depth);
            case '[':
                return emit(bracketed(flags, depth));
            case '.':
                return flags.dot_is_all ? "." : "[^\\u000a]";
            case '^':
                return flags.is_multi_line ? "(?:^|(?<=\\u000a))" : "(?:^)";
            case '$':
                return flags.is_multi_line ? "(?:$|(?=\\u000a))" : "(?:$)";
            case '\\':
                return escape(flags);
            default:
                return literal(c, flags);
        }
    }

    std::string group(Flags flags, int depth) {
        if (take("?")) {
            if (take("=") || take("!") || take("<=") || take("<!"))
                refuse("looking ahead or behind is not supported", "Chroma does not know it either.");
            if (take("P<") || take("<")) {
                const std::string name = take_until('>');
                if (name.empty() || !names_.insert(name).second) refuse("a group's name is empty or stands twice");
            } else if (!take(":")) {
                read_flags(flags);
            }
        }
        std::string out = "(?:" + alternatives(flags, depth + 1) + ")";
        if (!take(")")) refuse("a group is not closed", "Write \\( for the character.");
        return out;
    }

    std::string repeated(std::string out) {
        for (bool is_first = true;; is_first = false) {
            std::string times;
            if (take("*"))
                times = "*";
            else if (take("+"))
                times = "+";
            else if (take("?"))
                times = "?";
            else if (take("{"))
                times = counted();
            else
                return out;
            take("?");  // which of several matches is found makes no difference
            out = is_first ? out + times : "(?:" + out + ")" + times;
        }
    }

    std::string counted() {
        const std::string inside = take_until('}');
        const std::size_t comma = inside.find(',');
        const unsigned least = count(inside.substr(0, comma));
        if (comma == std::string::npos) return fmt::format("{{{}}}", least);
        const std::string upper = trimmed(inside.substr(comma + 1));
        if (upper.empty()) return fmt::format("{{{},}}", least);
        const unsigned most = count(upper);
        if (most < least) refuse("a repetition's least number is over its highest");
        return fmt::format("{{{},{}}}", least, most);
    }

    static std::string trimmed(const std::string& text) {
        const std::size_t first = text.find_first_not_of(" \t\n\r");
        return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(" \t\n\r") + 1 - first);
    }

    static unsigned count(const std::string& given) {
        const std::string text = trimmed(given);
        if (text.empty() || text.find_first_not_of("0123456789") != std::string::npos)
            refuse("a repetition without its number", "Write \\{ for the character.");
        if (text.size() > 9 || std::stoul(text) > most_repetitions)
            refuse("a repetition over 255 times, which PostgreSQL does not have",
                   "Repeat a group that is repeated itself.");
        return static_cast<unsigned>(std::stoul(text));
    }

    std::string literal(UChar32 c, const Flags& flags) {
        CharacterSet set{c, c};
        if (flags.ignores_case) fold_case(set);
        return emit(set);
    }

    std::string emit(const CharacterSet& set) {
        if (++sets_ > most_sets && set.getRangeCount() > 2)
            refuse("too many classes of characters", fmt::format("Use at most {}.", most_sets));
        auto text = set.size() == 1 ? character(set.charAt(0)) : bracket(set);
        if (!text) refuse("a class that no character is in");
        return *std::move(text);
    }

    std::string escape(const Flags& flags) {
        const UChar32 c = peek();
        if (c == 'A' || c == 'z') {
            next();
            return c == 'A' ? "(?:^)" : "(?:$)";
        }
        if (c == 'b' || c == 'B' || c == '<' || c == '>') return word_boundary();
        if (auto set = escaped_class(flags)) return emit(*set);
        return literal(escaped_character(), flags);
    }

    std::string word_boundary() {
        const std::string word = bracket(word_characters()).value();
        const std::string before = "(?<=" + word + ")";
        const std::string not_before = "(?<!" + word + ")";
        const std::string after = "(?=" + word + ")";
        const std::string not_after = "(?!" + word + ")";
        if (++sets_ > most_sets) refuse("too many boundaries of words");
        if (take("b{start-half}")) return "(?:" + not_before + ")";
        if (take("b{end-half}")) return "(?:" + not_after + ")";
        if (take("<") || take("b{start}")) return "(?:" + not_before + after + ")";
        if (take(">") || take("b{end}")) return "(?:" + before + not_after + ")";
        if (next() == 'B') return "(?:" + before + after + "|" + not_before + not_after + ")";
        return "(?:" + before + not_after + "|" + not_before + after + ")";
    }

    /// \d, \p{...} and the like; none, and nothing taken, for an escaped character.
    std::optional<CharacterSet> escaped_class(const Flags& flags) {
        const UChar32 c = peek();
        std::optional<CharacterSet> set;
        if (c == 'd' || c == 'D')
            set = digit_characters();
        else if (c == 's' || c == 'S')
            set = space_characters();
        else if (c == 'w' || c == 'W')
            set = word_characters();
        else if (c == 'p' || c == 'P')
            return property(flags);
        else
            return std::nullopt;
        next();
        if (c < 'a') set->complement();
        return set;
    }

    CharacterSet property(const Flags& flags) {
        bool is_negated = next() == 'P';
        std::string name;
        if (take("{"))
            name = take_until('}');
        else
            icu::UnicodeString{next()}.toUTF8String(name);
        if (name.starts_with('^')) {
            is_negated = !is_negated;
            name.erase(0, 1);
        }
        auto set = property_class(name);
        if (!set) refuse(fmt::format("there is no class of characters '{}'", printable(name)));
        if (flags.ignores_case) fold_case(*set);
        if (is_negated) set->complement();
        return *std::move(set);
    }

    UChar32 escaped_character() {
        const UChar32 c = next();
        constexpr std::string_view letters = "afnrtv";
        constexpr std::string_view meanings = "\a\f\n\r\t\v";
        if (c == 'x' || c == 'u' || c == 'U') return hexadecimal(c == 'x' ? 2 : c == 'u' ? 4 : 8);
        const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (const auto at = is_letter ? letters.find(static_cast<char>(c)) : std::string_view::npos;
            at != std::string_view::npos)
            return meanings[at];
        if (c >= '0' && c <= '9')
            refuse("a reference back to a group is not supported", "Chroma does not know it either.");
        if (is_letter || c < ' ' || c >= 0x7f) refuse("there is no such escape", "Write \\\\ for the character \\.");
        return c;
    }

    UChar32 hexadecimal(std::size_t digits) {
        std::string text;
        if (take("{"))
            text = take_until('}');
        else
            while (text.size() < digits)
                icu::UnicodeString{next()}.toUTF8String(text);
        if (text.empty() || text.size() > 8 || text.find_first_not_of("0123456789abcdefABCDEF") != std::string::npos)
            refuse(fmt::format("'{}' is no hexadecimal number", printable(text)));
        const unsigned long value = std::stoul(text, nullptr, 16);
        if (value > 0x10ffff || (value >= 0xd800 && value < 0xe000))
            refuse(fmt::format("there is no character {}", text));
        return static_cast<UChar32>(value);
    }

    /// After '['.
    CharacterSet bracketed(const Flags& flags, int depth) {
        if (depth > deepest) refuse("classes are nested too deep", fmt::format("Nest at most {}.", deepest));
        const bool is_negated = take("^");
        CharacterSet set = bracket_union(flags, depth, true);
        while (!take("]")) {
            const bool is_and = take("&&");
            const bool is_less = !is_and && take("--");
            if (!is_and && !is_less) take("~~");
            const CharacterSet right = bracket_union(flags, depth, false);
            if (is_and) {
                set.retainAll(right);
            } else if (is_less) {
                set.removeAll(right);
            } else {
                CharacterSet both{set};
                both.retainAll(right);
                set.addAll(right).removeAll(both);
            }
        }
        if (is_negated) set.complement();
        return set;
    }

    bool is_set_operator() const { return (peek() == '&' || peek() == '-' || peek() == '~') && peek_after() == peek(); }

    /// Items up to ']' or an operator.
    CharacterSet bracket_union(const Flags& flags, int depth, bool is_first) {
        CharacterSet set;
        while (is_first && take("-"))
            set.add('-');
        if (is_first && set.isEmpty() && take("]")) set.add(']');
        while (peek() != ']' && !is_set_operator()) {
            if (is_end()) refuse("a class of characters is not closed", "Write \\[ for the character.");
            add_item(set, flags, depth);
        }
        if (flags.ignores_case) fold_case(set);
        return set;
    }

    void add_item(CharacterSet& set, const Flags& flags, int depth) {
        if (take("[")) {
            set.addAll(peek() == ':' ? named(flags, depth) : bracketed(flags, depth + 1));
            return;
        }
        if (take("\\")) {
            if (const auto escaped = escaped_class(flags)) {
                set.addAll(*escaped);
                if (peek() == '-' && peek_after() != ']' && peek_after() != '-')
                    refuse("a range that begins with a class");
                return;
            }
            add_range(set, escaped_character());
            return;
        }
        add_range(set, next());
    }

    /// [:alpha:], after its first '['; anything else that begins like it is a class of its own.
    CharacterSet named(const Flags& flags, int depth) {
        const std::int32_t start = at_;
        take(":");
        const bool is_negated = take("^");
        std::string name;
        while (peek() >= 'a' && peek() <= 'z')
            name += static_cast<char>(next());
        auto set = posix_class(name);
        if (!set || !take(":]")) {
            at_ = start;
            return bracketed(flags, depth + 1);
        }
        if (flags.ignores_case) fold_case(*set);
        if (is_negated) set->complement();
        return *std::move(set);
    }

    void add_range(CharacterSet& set, UChar32 first) {
        if (peek() != '-' || peek_after() == ']' || peek_after() == '-' || peek_after() < 0) {
            set.add(first);
            return;
        }
        next();
        UChar32 last = next();
        if (last == '\\') {
            if (escaped_class({})) refuse("a range that ends with a class");
            last = escaped_character();
        }
        if (last == '[') refuse("a range that ends with a class", "Write \\[ for the character.");
        if (last < first) refuse("a range whose first character comes after its last");
        set.add(first, last);
    }

    icu::UnicodeString text_;
    std::int32_t at_ = 0;
    std::size_t sets_ = 0;
    std::set<std::string> names_;
};

}  // namespace

std::string postgres_regex(std::string_view pattern) {
    return Translator{pattern}.translate();
}

}  // namespace decant::search::detail
