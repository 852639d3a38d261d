#include "search/product_details.hpp"

#include <fmt/format.h>

#include "core/error.hpp"

namespace decant::search {
namespace {

/// {0} and {1} are hit_columns and hit_joins.
constexpr std::string_view product_sql =
    "SELECT {0}, coalesce(nullif(p.description, ''), p.short_description, ''), p.active, p.featured, p.on_sale "
    "FROM products p {1} WHERE p.id = $1::uuid";

}  // namespace

ProductDetails read_product(pg::Connection& db, const std::string& id) {
    const pg::Result rows = db.query(fmt::format(product_sql, hit_columns, hit_joins), {id});
    if (rows.empty())
        throw Error{ErrorCode::not_found, fmt::format("There is no product {}", id), "A search gives the ids."};
    return {.product = read_hit(rows, 0),
            .description = std::string{rows.text(0, hit_column_count)},
            .is_active = rows.boolean(0, hit_column_count + 1),
            .is_featured = rows.boolean(0, hit_column_count + 2),
            .is_on_sale = rows.boolean(0, hit_column_count + 3)};
}

}  // namespace decant::search
