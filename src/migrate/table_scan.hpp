#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "migrate/target_table.hpp"
#include "pg/copy.hpp"

namespace decant::migrate {

/// The table's rows as row images in id order (bytewise), read in one transaction on a connection of its own.
class TableScan {
public:
    /// Starts after `after_id`; from the first row when there is none.
    TableScan(pg::Connection& db, const TableName& name, const std::optional<std::string>& after_id);

    /// The current row image; none past the end. Dies at the next advance.
    const std::optional<std::string_view>& row() const noexcept { return row_; }
    std::string_view id() const noexcept;
    void advance();

private:
    pg::Transaction tx_;
    std::optional<pg::CopyOut> rows_;
    std::optional<std::string_view> row_;
};

}  // namespace decant::migrate
