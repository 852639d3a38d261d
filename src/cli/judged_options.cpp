#include "cli/judged_options.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/read_file.hpp"
#include "core/utf8.hpp"
#include "quality/report.hpp"

namespace decant::cli {
namespace {

constexpr FileToRead queries_file{.what = "file of queries", .most_bytes = 64UL << 20U, .remedy = "Split it."};
constexpr FileToRead qrels_file{.what = "file of judgments", .most_bytes = 256UL << 20U, .remedy = "Split it."};

}  // namespace

std::vector<std::string> parse_list(const std::string& option, const std::string& text) {
    std::vector<std::string> words;
    std::size_t at = 0;
    while (at <= text.size()) {
        const std::size_t end = std::min(text.find(',', at), text.size());
        words.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    if (std::ranges::find(words, std::string{}) == words.end()) return words;
    throw Error{ErrorCode::request_malformed, fmt::format("{} has an empty entry: '{}'", option, printable(text)),
                "Write entries with commas between them, without blanks."};
}

std::uint64_t in_range(const NumberRange& range, const std::optional<std::uint64_t>& given) {
    const std::uint64_t value = given.value_or(range.unset);
    if (value >= range.low && value <= range.high) return value;
    throw Error{ErrorCode::request_malformed,
                fmt::format("{} takes {} to {}, not {}", range.option, range.low, range.high, value),
                fmt::format("Write it like {} {}.", range.option, range.unset)};
}

void JudgedOptions::declare(Options& options) {
    options.text("--queries", queries_,
                 R"(JSON lines {"id", "text"}, with "kind" and "split" where known; - is stdin)");
    options.text("--qrels", qrels_, "Judgments in TREC's format: query id, 0, sku or product id, grade");
    options.text("--split", split_, "Only the queries of this split");
    options.text("--kinds", kinds_, "Only the queries of these kinds, with commas between");
    options.number("--relevant", relevant_, "Least grade that counts as relevant (default: 1)");
}

int JudgedOptions::relevant() const {
    return static_cast<int>(in_range({.option = "--relevant", .low = 1, .high = 10, .unset = 1}, relevant_));
}

quality::JudgedSet JudgedOptions::read(pg::Connection& db) const {
    if (queries_.empty()) {
        throw Error{ErrorCode::request_malformed, "--queries is missing",
                    "Name a file of queries; --help shows its form."};
    }
    quality::Selection selection{.split = split_, .kinds = {}};
    if (kinds_) selection.kinds = parse_list("--kinds", *kinds_);
    std::vector<quality::Query> queries = quality::read_queries(read_file(queries_, queries_file));
    std::vector<quality::Judgment> judgments;
    if (qrels_) judgments = quality::read_qrels(read_file(*qrels_, qrels_file));
    quality::JudgedSet set = quality::join(std::move(queries), judgments, quality::find_products(db, judgments));
    quality::select(set, selection);
    return set;
}

void warn_of_gaps(const quality::JudgedSet& set) {
    for (const std::string& remark : quality::remarks_of(set))
        log::warning("{}", printable(remark));
}

}  // namespace decant::cli
