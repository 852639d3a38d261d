#include "store/similar_products.hpp"

#include <fmt/format.h>

#include "core/error.hpp"
#include "store/catalog_state.hpp"

namespace decant::store {
namespace {

constexpr std::string_view product_sql =
    "SELECT id, name, embedding IS NOT NULL FROM products WHERE sku = $1 OR id = CASE WHEN "
    "$1 ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN $1::uuid END ORDER BY sku = $1 LIMIT 1";

// One more is asked for: the product itself is the nearest.
constexpr std::string_view similar_sql =
    "SELECT s.product_id, coalesce(p.sku, ''), s.product_name, coalesce(s.brand_name, ''), "
    "coalesce(s.category_name, ''), s.price, s.stock, coalesce(p.model, ''), "
    "left(coalesce(nullif(p.short_description, ''), p.description, ''), 300), coalesce(p.image_url, ''), "
    "coalesce(c.display_name, ''), "
    "s.similarity_score "
    "FROM find_similar_products((SELECT embedding FROM products WHERE id = $1::uuid), $2::float8, $3::int + 1, "
    "require_stock => $4::bool) s JOIN products p ON p.id = s.product_id "
    "LEFT JOIN categories c ON c.id = p.category_id "
    "WHERE s.product_id <> $1::uuid OR $5::bool ORDER BY s.similarity_score DESC, s.product_id LIMIT $3::int";

}  // namespace

SimilarTo find_similar(pg::Connection& db, const SimilarRequest& request) {
    if (auto problem = embedding_problem(db, read_catalog_state(db))) throw std::move(*problem);
    const pg::Result product = db.query(product_sql, {request.product});
    if (product.empty()) {
        throw Error{ErrorCode::not_found,
                    fmt::format("No product in database '{}' has the id or sku '{}'", db.database(), request.product),
                    "See them with `decant products list`."};
    }
    std::string id{product.text(0, 0)};
    std::string name{product.text(0, 1)};
    if (!product.boolean(0, 2)) {
        throw Error{ErrorCode::not_found, fmt::format("Product '{}' ({}) has no embedding", name, request.product),
                    "Make it with `decant embed`."};
    }
    pg::Result products =
        db.query(similar_sql, {id, fmt::format("{}", request.threshold), std::to_string(request.limit),
                               request.in_stock ? "t" : "f", request.includes_itself ? "t" : "f"});
    return {.id = std::move(id), .name = std::move(name), .products = std::move(products)};
}

}  // namespace decant::store
