#include "search/facets.hpp"

#include <fmt/format.h>

namespace decant::search {
namespace {

/// {} is the filter. Bounds of prices are the fifths of what passes, to two digits.
constexpr std::string_view facets_sql = R"sql(
WITH passing AS MATERIALIZED (SELECT p.category_id, p.brand_id, p.price FROM products p WHERE {}),
bounds AS (
    SELECT array_agg(DISTINCT round(fifth::numeric, 1 - floor(log(fifth))::int)::float8) AS at
    FROM unnest((SELECT percentile_disc(ARRAY[0.2, 0.4, 0.6, 0.8]) WITHIN GROUP (ORDER BY price) FROM passing)) fifth
    WHERE fifth > 0),
ranges AS (SELECT width_bucket(price, (SELECT at FROM bounds)) AS range, count(*) AS products FROM passing GROUP BY 1)
SELECT 'all', NULL, NULL, NULL::float8, NULL::float8, count(*) FROM passing
UNION ALL
SELECT 'category', c.id::text, coalesce(c.display_name, c.name), NULL, NULL, n.products
FROM (SELECT category_id, count(*) AS products FROM passing GROUP BY 1) n JOIN categories c ON c.id = n.category_id
UNION ALL
SELECT 'brand', b.id::text, coalesce(b.display_name, b.name), NULL, NULL, n.products
FROM (SELECT brand_id, count(*) AS products FROM passing GROUP BY 1) n JOIN brands b ON b.id = n.brand_id
UNION ALL
SELECT 'price', NULL, NULL, bounds.at[range], bounds.at[range + 1], products FROM ranges, bounds
WHERE range IS NOT NULL
ORDER BY 1, 4 NULLS FIRST, 6 DESC, 3)sql";

}  // namespace

pg::Statement facets_statement(const BoundFilter& filter) {
    return {.sql = fmt::format(facets_sql, filter.condition), .params = filter.params};
}

Facets read_facets(const pg::Result& rows) {
    Facets facets;
    for (int row = 0; row < rows.rows(); ++row) {
        const auto products = static_cast<std::uint64_t>(rows.integer(row, 5));
        const std::string_view kind = rows.text(row, 0);
        if (kind == "all") {
            facets.products = products;
        } else if (kind == "price") {
            const auto bound = [&](int column) {
                return rows.is_null(row, column) ? std::nullopt : std::optional{rows.real(row, column)};
            };
            facets.prices.push_back({.from = bound(3), .to = bound(4), .products = products});
        } else {
            (kind == "brand" ? facets.brands : facets.categories)
                .push_back({.id = std::string{rows.text(row, 1)},
                            .name = std::string{rows.text(row, 2)},
                            .products = products});
        }
    }
    return facets;
}

}  // namespace decant::search
