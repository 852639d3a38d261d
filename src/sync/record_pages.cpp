#include "sync/record_pages.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "pg/binary_row.hpp"

namespace decant::sync {
namespace {

Incoming incoming_of(catalog::FileRecord&& record) {
    Incoming item{.key = fmt::format("#{}", record.line),
                  .product = std::move(record.product),
                  .raw = json_text(record.record),
                  .fault = std::move(record.fault)};
    if (!item.fault && holds_nul(item.raw)) item.fault = "it holds U+0000, which no text may hold";
    if (item.product.sku) {
        item.key = *item.product.sku;
        item.has_sku = true;
    } else if (!item.fault) {
        item.fault = "it has no sku";
    }
    return item;
}

bool is_line_break(char c) noexcept {
    return c == '\n' || c == '\r';
}

/// One SELECT as an expression: without the semicolon that ends it.
std::string_view without_end(std::string_view query) {
    const std::size_t last = query.find_last_not_of("; \t\r\n");
    return query.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

}  // namespace

std::optional<Page> FilePages::next() {
    Page page{.offset = offset_};
    while (page.items.size() < most_page_records) {
        auto record = file_.next();
        if (!record) break;
        page.items.push_back(incoming_of(std::move(*record)));
    }
    offset_ += page.items.size();
    if (page.items.empty()) return std::nullopt;
    return page;
}

// The query is the user's own statement against the user's own database. A comment may end it: hence the line breaks.
QueryPages::QueryPages(pg::Connection& db, const std::string& query)
    : tx_(db, "BEGIN READ ONLY"),
      rows_(db, fmt::format("COPY (SELECT pg_catalog.row_to_json(decant_row)::text FROM (\n{}\n) AS decant_row) "
                            "TO STDOUT (FORMAT binary)",
                            without_end(query))) {}

std::optional<Page> QueryPages::next() {
    if (is_over_) return std::nullopt;
    std::string lines;
    std::size_t count = 0;
    while (count < most_page_records) {
        const auto row = rows_.next();
        is_over_ = !row;
        if (is_over_) break;
        // Breaks stand between values only, where a column of type json has its own.
        const std::size_t start = lines.size();
        lines += pg::fields_of(*row).front();
        std::ranges::replace_if(lines.begin() + static_cast<std::ptrdiff_t>(start), lines.end(), is_line_break, ' ');
        lines += '\n';
        ++count;
    }
    if (count == 0) return std::nullopt;
    Page page{.offset = offset_};
    catalog::ProductFile records{lines, catalog::FileFormat::jsonl};
    while (auto record = records.next()) {
        record->line += offset_;
        page.items.push_back(incoming_of(std::move(*record)));
    }
    offset_ += count;
    note_unknown(records.unknown_columns());
    return page;
}

void QueryPages::note_unknown(const std::vector<std::string>& columns) {
    for (const std::string& column : columns)
        if (std::ranges::find(unknown_, column) == unknown_.end()) unknown_.push_back(column);
}

}  // namespace decant::sync
