#include "cli/product_columns.hpp"

#include <fmt/format.h>

#include "catalog/product.hpp"
#include "core/nearest.hpp"
#include "core/utf8.hpp"

namespace decant::cli {

void warn_of_columns(const std::vector<std::string>& unknown, std::string_view done) {
    std::vector<std::string> known;
    for (const catalog::ProductField& field : catalog::product_fields())
        known.emplace_back(field.column);
    for (const std::string& column : unknown) {
        const auto meant = nearest(column, known);
        fmt::print(stderr, "decant: warning: column '{}' is not {}{}\n", printable(column), done,
                   meant ? fmt::format("; is it '{}'?", *meant) : "");
    }
}

}  // namespace decant::cli
