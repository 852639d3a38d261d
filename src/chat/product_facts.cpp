#include "chat/product_facts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/parse.hpp>

#include "core/json.hpp"
#include "search/facets.hpp"

namespace decant::chat {
namespace {

using search::Hit;

/// {0} hit_columns, {1} hit_joins.
constexpr std::string_view products_sql =
    "SELECT {0}, left(coalesce(p.specs, ''), 300), coalesce(p.technical_specs::text, '') FROM products p {1} "
    "WHERE p.active AND p.id = ANY ($1::uuid[])";
constexpr std::string_view codes_sql =
    "SELECT p.id FROM products p WHERE p.active AND (p.sku = ANY ($1::text[]) OR p.barcode = ANY ($1::text[])) "
    "ORDER BY p.sku LIMIT 5";
/// {2} the filter, {3} and {4} the places of limit and offset among the parameters.
constexpr std::string_view browse_sql =
    "SELECT {0} FROM products p {1} WHERE {2} ORDER BY p.stock <= 0, p.price, p.id "
    "LIMIT ${3}::bigint OFFSET ${4}::bigint";
constexpr std::string_view featured_sql =
    "SELECT {0} FROM products p {1} WHERE p.active AND p.featured ORDER BY p.stock <= 0, p.name, p.id LIMIT $1::bigint";

std::string text_of(const json::value& value) {
    return value.is_string() ? std::string{value.as_string()} : json_text(value);
}

std::vector<std::pair<std::string, std::string>> details_of(std::string_view text) {
    boost::system::error_code failed;
    const json::value value = json::parse(text, failed);
    std::vector<std::pair<std::string, std::string>> details;
    if (failed || !value.is_object()) return details;
    for (const auto& [name, detail] : value.as_object())
        details.emplace_back(name, text_of(detail));
    return details;
}

std::vector<Hit> hits_of(const pg::Result& rows) {
    std::vector<Hit> hits;
    for (int row = 0; row < rows.rows(); ++row)
        hits.push_back(search::read_hit(rows, row));
    return hits;
}

std::string folded_case(std::string_view word, int (*fold)(int)) {
    std::string out{word};
    std::ranges::transform(out, out.begin(), [fold](unsigned char c) { return static_cast<char>(fold(c)); });
    return out;
}

}  // namespace

std::vector<ProductFacts> read_products(pg::Connection& db, std::span<const std::string> ids) {
    if (ids.empty()) return {};
    const pg::Result rows = db.query(fmt::format(products_sql, search::hit_columns, search::hit_joins),
                                     {pg::array_literal({ids.begin(), ids.end()})});
    std::vector<ProductFacts> products;
    for (const std::string& id : ids) {
        for (int row = 0; row < rows.rows(); ++row) {
            if (rows.text(row, 0) != id) continue;
            products.push_back({.hit = search::read_hit(rows, row),
                                .specs = std::string{rows.text(row, search::hit_column_count)},
                                .details = details_of(rows.text(row, search::hit_column_count + 1))});
        }
    }
    return products;
}

std::vector<std::string> find_codes(pg::Connection& db, std::span<const std::string> codes) {
    if (codes.empty()) return {};
    std::vector<std::string> written;
    for (const std::string& code : codes)
        written.insert(written.end(), {code, folded_case(code, std::toupper), folded_case(code, std::tolower)});
    const pg::Result rows = db.query(codes_sql, {pg::array_literal(written)});
    std::vector<std::string> ids;
    for (int row = 0; row < rows.rows(); ++row)
        ids.emplace_back(rows.text(row, 0));
    return ids;
}

std::vector<Hit> browse(pg::Connection& db, const search::Filter& filter, std::uint64_t limit, std::uint64_t offset) {
    search::BoundFilter bound = search::bind(db, filter);
    const std::size_t first = bound.params.size() + 1;
    bound.params.insert(bound.params.end(), {std::to_string(limit), std::to_string(offset)});
    return hits_of(
        db.query(fmt::format(browse_sql, search::hit_columns, search::hit_joins, bound.condition, first, first + 1),
                 bound.params));
}

Overview read_overview(pg::Connection& db, std::size_t most_featured) {
    const std::vector<pg::Statement> statements{search::facets_statement(search::bind(db, {}))};
    const search::Facets facets = search::read_facets(db.run_batch(statements).front());
    Overview overview{.products = facets.products};
    for (const search::FacetValue& category : facets.categories)
        overview.categories.emplace_back(category.name, category.products);
    overview.featured = hits_of(
        db.query(fmt::format(featured_sql, search::hit_columns, search::hit_joins), {std::to_string(most_featured)}));
    return overview;
}

}  // namespace decant::chat
