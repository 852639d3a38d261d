#include "core/csv.hpp"

#include <algorithm>
#include <array>

namespace decant {
namespace {

char find_delimiter(std::string_view text) {
    constexpr std::array<char, 3> candidates{',', ';', '\t'};
    std::array<std::size_t, 3> counts{};
    bool is_quoted = false;
    for (const char c : text) {
        if (c == '"') is_quoted = !is_quoted;
        if (is_quoted) continue;
        if (c == '\n' || c == '\r') break;
        for (std::size_t i = 0; i < candidates.size(); ++i)
            counts[i] += c == candidates[i] ? 1U : 0U;
    }
    return candidates[static_cast<std::size_t>(std::ranges::max_element(counts) - counts.begin())];
}

}  // namespace

CsvReader::CsvReader(std::string_view text) : text_(text) {
    if (text_.starts_with("\xEF\xBB\xBF")) text_.remove_prefix(3);
    delimiter_ = find_delimiter(text_);
}

bool CsvReader::at_end_of_field(std::size_t at) const noexcept {
    return at >= text_.size() || text_[at] == delimiter_ || text_[at] == '\n' || text_[at] == '\r';
}

/// From behind the opening quote to behind the closing one.
std::optional<std::string> CsvReader::read_quoted(std::string& field) {
    for (;;) {
        const std::size_t quote = text_.find('"', at_);
        const std::string_view part = text_.substr(at_, quote - at_);
        field += part;
        line_ += static_cast<std::size_t>(std::ranges::count(part, '\n'));
        at_ = std::min(quote, text_.size());
        if (quote == std::string_view::npos) return "a quote is never closed";
        ++at_;
        if (at_ < text_.size() && text_[at_] == '"') {
            field += text_[at_++];
            continue;
        }
        if (at_end_of_field(at_)) return std::nullopt;
        return "text stands behind a closing quote: a quote within a quoted field is written twice";
    }
}

/// Past one line end.
void CsvReader::end_line() {
    if (at_ < text_.size() && text_[at_] == '\r') ++at_;
    if (at_ < text_.size() && text_[at_] == '\n') ++at_;
    ++line_;
}

bool CsvReader::next(Row& row) {
    while (at_ < text_.size() && (text_[at_] == '\n' || text_[at_] == '\r'))
        end_line();
    if (at_ >= text_.size()) return false;
    const std::size_t start = at_;
    row.line = line_;
    row.fields.clear();
    row.fault.reset();
    for (;;) {
        std::string& field = row.fields.emplace_back();
        if (at_ < text_.size() && text_[at_] == '"') {
            ++at_;
            row.fault = read_quoted(field);
        } else {
            const std::size_t from = at_;
            while (!at_end_of_field(at_))
                ++at_;
            field = text_.substr(from, at_ - from);
        }
        if (row.fault || at_ >= text_.size() || text_[at_] != delimiter_) break;
        ++at_;
    }
    // After a fault the next line is a new row.
    while (at_ < text_.size() && text_[at_] != '\n' && text_[at_] != '\r')
        ++at_;
    row.raw = text_.substr(start, at_ - start);
    end_line();
    return true;
}

}  // namespace decant
