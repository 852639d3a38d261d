#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "catalog/product_file.hpp"
#include "pg/copy.hpp"
#include "sync/incoming.hpp"

namespace decant::sync {

inline constexpr std::size_t most_page_records = 2000;

/// Products of a file (CSV, JSON, JSONL), in pages. What a record does not say is not set. A record needs a sku.
class FilePages {
public:
    /// `text` must outlive it. Throws Error{source_unreadable}.
    explicit FilePages(std::string_view text) : file_(text, catalog::format_of(text)) {}

    /// Throws Error{source_unreadable}.
    std::optional<Page> next();

    /// Columns so far that no field of a product has.
    const std::vector<std::string>& unknown_columns() const noexcept { return file_.unknown_columns(); }

private:
    catalog::ProductFile file_;
    std::size_t offset_ = 0;
};

/// Products that a query of another PostgreSQL database gives, in the same way: its columns are named as those of a
/// file. It is streamed; nothing is written there.
class QueryPages {
public:
    /// Runs the query, one SELECT. `db` must outlive it and be left alone meanwhile.
    QueryPages(pg::Connection& db, const std::string& query);

    std::optional<Page> next();

    const std::vector<std::string>& unknown_columns() const noexcept { return unknown_; }

private:
    void note_unknown(const std::vector<std::string>& columns);

    pg::Transaction tx_;
    pg::CopyOut rows_;
    bool is_over_ = false;
    std::size_t offset_ = 0;
    std::vector<std::string> unknown_;
};

}  // namespace decant::sync
