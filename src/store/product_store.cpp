#include "store/product_store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/parse.hpp>
#include <map>

#include "core/error.hpp"
#include "pg/binary_row.hpp"
#include "pg/copy.hpp"

namespace decant::store {
namespace {

using catalog::FieldKind;
using catalog::ProductField;

/// What a new product gets where nothing is said: the columns of an existing catalog may have no default.
const std::map<std::string_view, std::string_view> defaults{{"specs", "''"},       {"stock", "0"},
                                                            {"min_stock", "5"},    {"active", "true"},
                                                            {"featured", "false"}, {"on_sale", "false"}};

/// In the order of FieldKind.
constexpr std::array<std::string_view, 8> types{"text",   "text",    "uuid",    "float8",
                                                "float8", "integer", "boolean", "jsonb"};

/// Columns that are never NULL keep what they have, also where the source owns them.
constexpr std::array<std::string_view, 7> never_null{"name",   "price",    "specs",  "stock",
                                                     "active", "featured", "on_sale"};

bool is_cleared(std::string_view column, std::span<const std::string_view> owned) {
    return std::ranges::find(owned, column) != owned.end() && std::ranges::find(never_null, column) == never_null.end();
}

struct Statements {
    std::string stage;
    std::string copy;
    std::string update;
    std::string insert;
};

/// The statements that name every column, made of the table of fields.
Statements make_statements(std::span<const std::string_view> owned) {
    std::vector<std::string> copied{"nr"};
    std::vector<std::string> columns;
    std::vector<std::string> had;
    std::vector<std::string> wanted;
    std::vector<std::string> first;
    const auto add = [&](std::string_view column, std::string_view type, bool is_given_as_null) {
        const std::string given = fmt::format("s.{}::{}", column, type);
        const auto otherwise = defaults.find(column);
        columns.emplace_back(column);
        had.push_back(fmt::format("p.{}::{}", column, type));
        wanted.push_back(is_given_as_null ? given : fmt::format("COALESCE({}, {})", given, had.back()));
        first.push_back(otherwise == defaults.end() ? given
                                                    : fmt::format("COALESCE({}, {})", given, otherwise->second));
    };
    for (const ProductField& field : catalog::product_fields()) {
        copied.emplace_back(field.column);
        if (field.column == "id" || field.kind == FieldKind::reference) continue;
        add(field.column, types[static_cast<std::size_t>(field.kind)], is_cleared(field.column, owned));
    }
    for (const std::string_view reference : {"category", "subcategory", "brand"})
        add(fmt::format("{}_id", reference), "uuid", reference != "category" && is_cleared(reference, owned));
    return {
        .stage = fmt::format("CREATE TEMP TABLE decant_products ({} text, target uuid, is_new boolean, reason text, "
                             "category_id uuid, subcategory_id uuid, brand_id uuid) ON COMMIT DROP",
                             fmt::join(copied, " text, ")),
        .copy = fmt::format("COPY decant_products ({}) FROM STDIN (FORMAT binary)", fmt::join(copied, ", ")),
        .update = fmt::format("UPDATE products p SET ({0}, updated_at) = ROW({2}, now()) FROM decant_products s "
                              "WHERE p.id = s.target AND NOT s.is_new AND ({1}) IS DISTINCT FROM ({2})",
                              fmt::join(columns, ", "), fmt::join(had, ", "), fmt::join(wanted, ", ")),
        .insert = fmt::format("INSERT INTO products (id, {}, created_at, updated_at) "
                              "SELECT s.target, {}, now(), now() FROM decant_products s WHERE s.is_new "
                              "ON CONFLICT DO NOTHING",
                              fmt::join(columns, ", "), fmt::join(first, ", "))};
}

// One load at a time, so that two of them do not make the same category, brand or product.
constexpr std::string_view lock_loads = "SELECT pg_advisory_xact_lock(hashtextextended('decant products load', 0))";

constexpr std::string_view match = R"sql(
UPDATE decant_products t SET target = m.target, is_new = m.is_new, reason = m.reason
FROM (
    SELECT s.nr, COALESCE(i.id, k.id, s.id::uuid, gen_random_uuid()) AS target,
           i.id IS NULL AND k.id IS NULL AS is_new,
           CASE WHEN s.id IS NULL AND s.sku IS NULL THEN 'has neither id nor sku'
                WHEN s.id IS NOT NULL AND k.id <> s.id::uuid THEN format('sku ''%s'' is that of product %s', s.sku, k.id)
                WHEN i.id IS NULL AND k.id IS NULL AND (s.name IS NULL OR s.price IS NULL OR s.category IS NULL)
                THEN 'a new product needs a ' || concat_ws(' and a ', CASE WHEN s.name IS NULL THEN 'name' END,
                          CASE WHEN s.price IS NULL THEN 'price' END, CASE WHEN s.category IS NULL THEN 'category' END)
                WHEN row_number() OVER (PARTITION BY COALESCE(COALESCE(i.id, k.id, s.id::uuid)::text, s.sku) ORDER BY s.nr::int) > 1
                THEN 'stands before in the same file'
                WHEN s.sku IS NOT NULL AND row_number() OVER (PARTITION BY s.sku ORDER BY s.nr::int) > 1
                THEN format('sku ''%s'' stands before in the same file', s.sku)
           END AS reason
    FROM decant_products s LEFT JOIN products i ON i.id = s.id::uuid LEFT JOIN products k ON k.sku = s.sku) m
WHERE m.nr = t.nr)sql";

constexpr std::string_view refuse = "DELETE FROM decant_products WHERE reason IS NOT NULL RETURNING nr::int, reason";

constexpr std::string_view make_categories = R"sql(
INSERT INTO categories (id, name, display_name, active, sort_order, created_at, updated_at)
SELECT gen_random_uuid(), category, COALESCE(min(category_display_name), category), true, 0, now(), now()
FROM decant_products WHERE category IS NOT NULL GROUP BY category ON CONFLICT DO NOTHING)sql";

constexpr std::string_view make_brands = R"sql(
INSERT INTO brands (id, name, display_name, active)
SELECT DISTINCT ON (brand) gen_random_uuid(), brand, brand, true
FROM decant_products WHERE brand IS NOT NULL ON CONFLICT DO NOTHING)sql";

constexpr std::array link_references{
    std::string_view{"UPDATE decant_products s SET category_id = c.id FROM categories c WHERE c.name = s.category"},
    std::string_view{"UPDATE decant_products s SET category_id = p.category_id FROM products p "
                     "WHERE p.id = s.target AND s.category IS NULL AND s.subcategory IS NOT NULL"},
    std::string_view{"INSERT INTO subcategories (id, name, display_name, category_id, active) "
                     "SELECT DISTINCT ON (category_id, subcategory) gen_random_uuid(), subcategory, subcategory, "
                     "category_id, true FROM decant_products s WHERE subcategory IS NOT NULL AND NOT EXISTS "
                     "(SELECT FROM subcategories u WHERE u.category_id = s.category_id AND u.name = s.subcategory)"},
    std::string_view{"UPDATE decant_products s SET subcategory_id = u.id FROM subcategories u "
                     "WHERE u.category_id = s.category_id AND u.name = s.subcategory"},
    std::string_view{"UPDATE decant_products s SET brand_id = b.id FROM brands b WHERE b.name = s.brand"},
};

std::string tuples_of(std::span<const catalog::Product> page) {
    const auto fields = catalog::product_fields();
    std::string out;
    for (std::size_t i = 0; i < page.size(); ++i) {
        pg::BinaryRow row{out, static_cast<std::int16_t>(fields.size() + 1)};
        row.text(std::to_string(i));
        for (const ProductField& field : fields) {
            if (const auto value = catalog::value_text(page[i], field))
                row.text(*value);
            else
                row.null();
        }
    }
    return out;
}

/// None when another session inserted one of these products between the look and the insert.
std::optional<UpsertOutcome> try_upsert(pg::Connection& db, const UpsertWith& with, std::size_t products,
                                        const std::string& tuples) {
    const Statements statements = make_statements(with.owned);
    // Rows that another session committed meanwhile must be seen, whatever the default of this database.
    pg::Transaction transaction{db, "BEGIN ISOLATION LEVEL READ COMMITTED"};
    db.exec(lock_loads);
    db.exec(statements.stage);
    pg::CopyIn rows{db, statements.copy};
    rows.write(tuples);
    rows.finish();
    db.exec("ANALYZE decant_products");
    db.exec(match);
    UpsertOutcome outcome;
    const pg::Result refused = db.exec(refuse);
    for (int row = 0; row < refused.rows(); ++row) {
        outcome.refused.push_back(
            {static_cast<std::size_t>(refused.integer(row, 0)), std::string{refused.text(row, 1)}});
    }
    std::ranges::sort(outcome.refused, {}, &UpsertOutcome::Refusal::index);
    outcome.categories_created = db.exec(make_categories).affected();
    outcome.brands_created = db.exec(make_brands).affected();
    for (const std::string_view link : link_references)
        db.exec(link);
    const auto is_new = db.exec("SELECT count(*) FILTER (WHERE is_new) FROM decant_products").integer(0, 0);
    outcome.updated = db.exec(statements.update).affected();
    outcome.created = db.exec(statements.insert).affected();
    if (outcome.created != static_cast<std::uint64_t>(is_new)) return std::nullopt;
    outcome.unchanged = products - outcome.refused.size() - outcome.created - outcome.updated;
    if (with.is_dry_run) return outcome;
    if (with.before_commit) with.before_commit(outcome);
    transaction.commit();
    return outcome;
}

/// Says which command makes the tables where they are missing.
template <typename Statement>
auto with_catalog(Statement statement) {
    try {
        return statement();
    } catch (const Error& error) {
        if (error.code() != ErrorCode::not_found) throw;
        throw Error{ErrorCode::not_found, "There is no product catalog: " + error.happened(),
                    "Make it with `decant schema up`."};
    }
}

constexpr std::string_view has_embeddings =
    "SELECT count(*) FROM pg_attribute WHERE attrelid = 'products'::regclass AND attname = 'embedding' "
    "AND NOT attisdropped";

/// $1 category, $2 brand, $3 only what has no embedding, $4 limit; {} is whether the row has one.
constexpr std::string_view select_products = R"sql(
SELECT json_build_object('id', p.id, 'sku', p.sku, 'name', p.name, 'price', p.price, 'stock', p.stock,
                         'active', p.active, 'category', c.display_name, 'brand', b.name, 'has_embedding', {0}),
       count(*) OVER ()
FROM products p LEFT JOIN categories c ON c.id = p.category_id LEFT JOIN brands b ON b.id = p.brand_id
WHERE ($1::text IS NULL OR $1 IN (c.name, c.display_name)) AND ($2::text IS NULL OR b.name = $2)
  AND (NOT $3::boolean OR p.active AND NOT {0})
ORDER BY p.name, p.id LIMIT $4)sql";

constexpr std::string_view select_product = R"sql(
SELECT to_jsonb(p) - 'embedding' - 'embedding_hash' - 'embedding_second' - 'embedding_second_hash' -
       'embedding_second_model' - 'embedding_second_update' - 'search_vector' - 'category_id' - 'subcategory_id' - 'brand_id' ||
       jsonb_build_object('category', c.name, 'category_display_name', c.display_name, 'subcategory', u.name,
                          'brand', b.name, 'has_embedding', {0})
FROM products p LEFT JOIN categories c ON c.id = p.category_id LEFT JOIN brands b ON b.id = p.brand_id
     LEFT JOIN subcategories u ON u.id = p.subcategory_id
WHERE p.id::text = lower($1) OR p.sku = $1 ORDER BY p.id::text = lower($1) DESC LIMIT 1)sql";

std::string with_embeddings(pg::Connection& db, std::string_view sql) {
    const bool has_column = db.exec(has_embeddings).integer(0, 0) > 0;
    return fmt::format(fmt::runtime(sql), has_column ? "(p.embedding IS NOT NULL)" : "false");
}

}  // namespace

UpsertOutcome ProductStore::upsert(std::span<const catalog::Product> page, const UpsertWith& with) {
    constexpr int attempts = 5;
    if (page.empty()) return {};
    const std::string tuples = tuples_of(page);
    for (int attempt = 0; attempt < attempts; ++attempt) {
        if (auto outcome = with_catalog([&] { return try_upsert(db_, with, page.size(), tuples); }))
            return std::move(*outcome);
    }
    throw Error{ErrorCode::busy, "Another session inserts the same products into table products",
                "Wait for it to end and run the command again: what is in is left alone."};
}

json::array ProductStore::list(const ProductFilter& filter, std::uint64_t& total) {
    const pg::Result found = with_catalog([&] {
        return db_.query(
            with_embeddings(db_, select_products),
            {filter.category, filter.brand, filter.missing_only ? "true" : "false", std::to_string(filter.limit)});
    });
    json::array products;
    for (int row = 0; row < found.rows(); ++row)
        products.push_back(json::parse(found.text(row, 0)));
    total = found.empty() ? 0 : static_cast<std::uint64_t>(found.integer(0, 1));
    return products;
}

std::optional<json::object> ProductStore::find(const std::string& id_or_sku) {
    const pg::Result found = with_catalog([&] { return db_.query(with_embeddings(db_, select_product), {id_or_sku}); });
    if (found.empty()) return std::nullopt;
    return json::parse(found.text(0, 0)).as_object();
}

}  // namespace decant::store
