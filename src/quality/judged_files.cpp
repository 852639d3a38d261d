#include <fmt/format.h>

#include <boost/json/parse.hpp>
#include <charconv>
#include <unordered_map>

#include "core/error.hpp"
#include "core/json.hpp"
#include "core/utf8.hpp"
#include "quality/judged_set.hpp"

namespace decant::quality {
namespace {

constexpr std::string_view blanks = " \t\r";
constexpr std::size_t most_queries = 100'000;
constexpr std::size_t most_judgments = 5'000'000;
constexpr std::size_t most_text_bytes = 10'000;
constexpr int highest_grade = 10;

struct Line {
    std::size_t number = 0;
    std::string_view text;
};

/// The lines that are not blank.
class Lines {
public:
    explicit Lines(std::string_view text) : rest_(text) {
        if (rest_.starts_with("\xEF\xBB\xBF")) rest_.remove_prefix(3);
    }

    bool next(Line& line) {
        while (!rest_.empty()) {
            const std::string_view text = rest_.substr(0, rest_.find('\n'));
            rest_.remove_prefix(std::min(text.size() + 1, rest_.size()));
            ++number_;
            if (text.find_first_not_of(blanks) == std::string_view::npos) continue;
            line = {.number = number_, .text = text};
            return true;
        }
        return false;
    }

private:
    std::string_view rest_;
    std::size_t number_ = 0;
};

[[noreturn]] void refuse(std::string_view file, const Line& line, const std::string& reason, std::string remedy) {
    throw Error{
        ErrorCode::source_unreadable,
        fmt::format("Line {} of the {} {}: {}", line.number, file, reason, printable(first_characters(line.text, 120))),
        std::move(remedy)};
}

constexpr const char* query_form = R"(A line is like {"id": "q1", "text": "notebook gamer", "kind": "category"}.)";
constexpr const char* judgment_form = "A line is like: q1 0 NOT-0001 3";

std::string text_of(const json::object& object, json::string_view key, const Line& line) {
    const json::value* value = object.if_contains(key);
    if (value == nullptr || value->is_null()) return {};
    if (!value->is_string())
        refuse("queries", line, fmt::format("has a {} that is no text", std::string_view{key}), query_form);
    return std::string{value->get_string()};
}

Query parse_query(const Line& line) {
    json::error_code error;
    const json::value value = json::parse({line.text.data(), line.text.size()}, error);
    if (error || !value.is_object()) refuse("queries", line, "is no JSON object", query_form);
    const json::object& object = value.get_object();
    Query query{.line = line.number,
                .id = text_of(object, "id", line),
                .text = text_of(object, "text", line),
                .language = text_of(object, "language", line),
                .kind = text_of(object, "kind", line),
                .split = text_of(object, "split", line)};
    if (query.id.empty() || query.id.find_first_of(" \t\r\n") != std::string::npos)
        refuse("queries", line, "has no id, or one with blanks", query_form);
    if (query.text.find_first_not_of(" \t\r\n") == std::string::npos)
        refuse("queries", line, "has no text", query_form);
    if (query.text.size() > most_text_bytes)
        refuse("queries", line, fmt::format("has a text of more than {} bytes", most_text_bytes), "Shorten it.");
    return query;
}

Judgment parse_judgment(const Line& line) {
    std::vector<std::string_view> fields;
    std::size_t at = 0;
    while ((at = line.text.find_first_not_of(blanks, at)) != std::string_view::npos) {
        const std::size_t end = std::min(line.text.find_first_of(blanks, at), line.text.size());
        fields.push_back(line.text.substr(at, end - at));
        at = end;
    }
    if (fields.size() != 4) {
        refuse("qrels", line, fmt::format("has {} fields instead of 4", fields.size()),
               fmt::format("{}; a sku with blanks is named by its product's id.", judgment_form));
    }
    int grade = 0;
    const auto [end, failed] = std::from_chars(fields[3].data(), fields[3].data() + fields[3].size(), grade);
    if (failed != std::errc{} || end != fields[3].data() + fields[3].size() || grade > highest_grade) {
        refuse("qrels", line, fmt::format("has a grade that is no whole number up to {}", highest_grade),
               fmt::format("{}.", judgment_form));
    }
    return {.line = line.number,
            .query = std::string{fields[0]},
            .docno = std::string{fields[2]},
            .grade = std::max(grade, 0)};
}

void refuse_more_than(std::size_t most, std::size_t count, std::string_view file) {
    if (count <= most) return;
    throw Error{ErrorCode::too_large, fmt::format("The {} have more than {} lines", file, most), "Split the file."};
}

}  // namespace

std::vector<Query> read_queries(std::string_view text) {
    std::vector<Query> queries;
    std::unordered_map<std::string, std::size_t> lines_of_ids;
    Lines lines{text};
    for (Line line; lines.next(line);) {
        refuse_more_than(most_queries, queries.size() + 1, "queries");
        Query& query = queries.emplace_back(parse_query(line));
        const auto [first, is_new] = lines_of_ids.emplace(query.id, line.number);
        if (!is_new)
            refuse("queries", line, fmt::format("has the id of line {}", first->second), "Give each its own id.");
    }
    if (queries.empty()) throw Error{ErrorCode::source_unreadable, "The file of queries has none", query_form};
    return queries;
}

std::vector<Judgment> read_qrels(std::string_view text) {
    std::vector<Judgment> judgments;
    Lines lines{text};
    for (Line line; lines.next(line);) {
        refuse_more_than(most_judgments, judgments.size() + 1, "qrels");
        judgments.push_back(parse_judgment(line));
    }
    if (judgments.empty())
        throw Error{ErrorCode::source_unreadable, "The qrels hold no judgment", fmt::format("{}.", judgment_form)};
    return judgments;
}

}  // namespace decant::quality
