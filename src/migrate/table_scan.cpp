#include "migrate/table_scan.hpp"

#include <fmt/format.h>

#include "migrate/page_stream.hpp"

namespace decant::migrate {

TableScan::TableScan(pg::Connection& db, const TableName& name, const std::optional<std::string>& after_id)
    : tx_(db, "BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL jit = off") {
    const std::string from = after_id ? "WHERE id COLLATE \"C\" > " + db.quote_literal(*after_id) + " " : std::string{};
    rows_.emplace(db, fmt::format("COPY (SELECT id, document, metadata, embedding FROM {} {}ORDER BY id COLLATE \"C\") "
                                  "TO STDOUT (FORMAT binary)",
                                  name.quoted(db), from));
    advance();
}

std::string_view TableScan::id() const noexcept {
    return id_of(*row_);
}

void TableScan::advance() {
    row_ = rows_->next();
}

}  // namespace decant::migrate
