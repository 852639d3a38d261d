#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/command_line.hpp"
#include "pg/connection.hpp"
#include "quality/judged_set.hpp"

namespace decant::cli {

/// The words between commas, none of them empty. Throws Error{request_malformed} naming the option.
std::vector<std::string> parse_list(const std::string& option, const std::string& text);

/// A whole number of `low` to `high`, or `unset`. Throws Error{request_malformed} naming the option.
struct NumberRange {
    std::string option;
    std::uint64_t low;
    std::uint64_t high;
    std::uint64_t unset;
};
std::uint64_t in_range(const NumberRange& range, const std::optional<std::uint64_t>& given);

/// --queries, --qrels, --split, --kinds and --relevant.
class JudgedOptions {
public:
    void declare(Options& options);
    /// Reads the files before it asks the database which products they name.
    quality::JudgedSet read(pg::Connection& db) const;
    int relevant() const;
    bool has_qrels() const noexcept { return qrels_.has_value(); }
    const std::string& queries() const noexcept { return queries_; }
    std::string qrels() const { return qrels_.value_or(""); }
    const std::string& split() const noexcept { return split_; }

private:
    std::string queries_;
    std::optional<std::string> qrels_;
    std::string split_;
    std::optional<std::string> kinds_;
    std::optional<std::uint64_t> relevant_;
};

/// As warnings on stderr.
void warn_of_gaps(const quality::JudgedSet& set);

}  // namespace decant::cli
