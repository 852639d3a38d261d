#include "core/dotenv.hpp"

#include <fmt/format.h>

#include "core/error.hpp"

namespace decant {
namespace {

bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

bool is_key_character(char c, bool is_first) {
    const bool is_letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
    return is_letter || (!is_first && ((c >= '0' && c <= '9') || c == '.'));
}

class Parser {
public:
    Parser(std::string_view text, std::string_view file_name) : text_(text), file_name_(file_name) {
        constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
        if (text_.starts_with(byte_order_mark)) position_ = byte_order_mark.size();
    }

    std::vector<DotenvEntry> parse() {
        std::vector<DotenvEntry> entries;
        while (!is_at_end()) {
            skip_blanks();
            if (!is_at_line_end() && peek() != '#') entries.push_back(parse_entry());
            skip_rest_of_line();
        }
        return entries;
    }

private:
    DotenvEntry parse_entry() {
        DotenvEntry entry{.key = parse_key(), .value = {}, .line = line_, .value_begin = 0, .value_end = 0};
        if (entry.key == "export" && !is_at_line_end() && peek() != '=') entry.key = parse_key();
        if (is_at_line_end() || peek() != '=') {
            fail(line_, "has no '=' after the key", "write KEY=VALUE, or start the line with # to make it a comment");
        }
        ++position_;
        skip_blanks();
        entry.value_begin = position_;
        if (!is_at_line_end() && (peek() == '\'' || peek() == '"')) {
            entry.value = parse_quoted();
        } else {
            entry.value = parse_bare();
        }
        entry.value_end = value_end_;
        return entry;
    }

    std::string parse_key() {
        const std::size_t start = position_;
        while (!is_at_end() && is_key_character(peek(), position_ == start))
            ++position_;
        if (position_ == start) {
            fail(line_, "does not start with a key", "write KEY=VALUE; a key is made of letters, digits and _");
        }
        std::string key{text_.substr(start, position_ - start)};
        skip_blanks();
        return key;
    }

    std::string parse_bare() {
        std::string value;
        const std::size_t begin = position_;
        while (!is_at_line_end()) {
            const char c = peek();
            if (c == '#' && (position_ == 0 || is_blank(text_[position_ - 1]))) break;
            refuse_unusable(c);
            value += c;
            ++position_;
        }
        while (!value.empty() && is_blank(value.back()))
            value.pop_back();
        value_end_ = begin + value.size();
        return value;
    }

    std::string parse_quoted() {
        const std::size_t opened = line_;
        const char quote = text_[position_++];
        std::string value;
        while (true) {
            if (is_at_end()) {
                fail(opened, "opens a quote that is never closed", fmt::format("close the value with {}", quote));
            }
            const char c = peek();
            if (c == quote) break;
            if (quote == '"' && c == '\\') {
                value += parse_escape();
                continue;
            }
            if (quote == '"' || c == '\0') refuse_unusable(c);
            if (c == '\n') ++line_;
            value += c;
            ++position_;
        }
        value_end_ = ++position_;
        require_nothing_more();
        return value;
    }

    std::string parse_escape() {
        ++position_;
        if (is_at_end()) return "\\";
        const char c = text_[position_];
        constexpr std::string_view escaped = "nrt\"\\$";
        constexpr std::string_view meant = "\n\r\t\"\\$";
        const std::size_t which = escaped.find(c);
        if (which == std::string_view::npos) return "\\";
        ++position_;
        return std::string(1, meant[which]);
    }

    void require_nothing_more() {
        skip_blanks();
        if (!is_at_line_end() && peek() != '#') {
            fail(line_, "goes on after the closing quote", "put the whole value between the quotes");
        }
    }

    void refuse_unusable(char c) {
        if (c == '\0') fail(line_, "holds a NUL byte", "remove it: a setting is text");
        if (c == '$' && position_ + 1 < text_.size() && text_[position_ + 1] == '{') {
            fail(line_, "refers to another variable with ${...}, which is not replaced",
                 "write the value itself, or put it in single quotes if it is meant as it stands");
        }
    }

    [[noreturn]] void fail(std::size_t line, std::string_view what, std::string remedy) const {
        throw Error{ErrorCode::config_invalid, fmt::format("{}, line {}: the line {}", file_name_, line, what),
                    std::move(remedy)};
    }

    bool is_at_end() const { return position_ >= text_.size(); }
    char peek() const { return text_[position_]; }

    bool is_at_line_end() const {
        if (is_at_end() || peek() == '\n') return true;
        return peek() == '\r' && (position_ + 1 == text_.size() || text_[position_ + 1] == '\n');
    }

    void skip_blanks() {
        while (!is_at_end() && is_blank(peek()))
            ++position_;
    }

    void skip_rest_of_line() {
        while (!is_at_end() && peek() != '\n')
            ++position_;
        if (is_at_end()) return;
        ++position_;
        ++line_;
    }

    std::string_view text_;
    std::string_view file_name_;
    std::size_t position_ = 0;
    std::size_t line_ = 1;
    std::size_t value_end_ = 0;  ///< of the value that was parsed last
};

}  // namespace

std::vector<DotenvEntry> parse_dotenv(std::string_view text, std::string_view file_name) {
    return Parser{text, file_name}.parse();
}

std::string set_in_dotenv(std::string_view text, std::string_view file_name, std::string_view key,
                          std::string_view value) {
    std::string out;
    std::size_t copied = 0;
    for (const DotenvEntry& entry : parse_dotenv(text, file_name)) {
        if (entry.key != key) continue;
        out.append(text, copied, entry.value_begin - copied).append(value);
        copied = entry.value_end;
        // A comment after an empty value would become a part of the new one.
        if (copied < text.size() && text[copied] == '#') out += ' ';
    }
    out.append(text.substr(copied));
    if (copied > 0) return out;
    const std::string_view line_end = text.find("\r\n") == std::string_view::npos ? "\n" : "\r\n";
    if (!out.empty() && out.back() != '\n') out += line_end;
    return out.append(key).append("=").append(value).append(line_end);
}

}  // namespace decant
