// What marks a product's vector as stale, column by column.

#include <fmt/format.h>

#include <chrono>
#include <set>

#include "tests/support/schema_case.hpp"

namespace decant::test {
namespace {

/// What the embedding text is made of.
const std::set<std::string> text_columns{"name",     "model",       "description", "specs", "technical_specs",
                                         "features", "category_id", "brand_id"};
/// Our own columns are what is being looked at; the key has no reason to change.
const std::set<std::string> left_out{"id", "embedding_version", "last_embedding_update"};

constexpr const char* mark_sql =
    "SELECT embedding_version || CASE WHEN last_embedding_update IS NULL THEN ' stale' ELSE ' fresh' END FROM products "
    "WHERE sku = 'sku-1' OR barcode = 'sku-1'";

/// Another value of the column's type than the one it has.
std::string other_value(const std::string& column, const std::string& type) {
    if (column == "category_id") return "(SELECT id FROM categories WHERE name = 'cat-7')";
    if (column == "subcategory_id") return "(SELECT id FROM subcategories)";
    if (column == "brand_id") return "(SELECT id FROM brands WHERE name = 'brand-7')";
    if (type == "boolean") return "NOT " + column;
    if (type == "jsonb") return "'{\"other\": 1}'";
    if (type == "tsvector") return "to_tsvector('other')";
    if (type == "bytea") return "'\\x00'";
    if (type == "USER-DEFINED") return "embedding * embedding";
    if (type.starts_with("timestamp")) return "'2020-01-01'";
    if (type == "text" || type == "character varying") return "'other'";
    return "7";
}

class CatalogTriggers : public testing::Test {
protected:
    CatalogTriggers() {
        with_.put_products(20);
        with_.exec(
            "INSERT INTO subcategories (name, display_name, category_id) SELECT 'sub', 'Sub', id FROM categories LIMIT "
            "1;"
            "UPDATE products SET barcode = sku");
    }
    SchemaCase with_;
};

TEST_F(CatalogTriggers, MarkAChangeOfWhatTheEmbeddingTextIsMadeOfAndOfNothingElse) {
    auto db = with_.open();
    const pg::Result columns = db.exec(
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'products' ORDER BY 1");
    int marked = 0;
    for (int row = 0; row < columns.rows(); ++row) {
        const std::string column{columns.text(row, 0)};
        if (left_out.contains(column) || column == "barcode") continue;
        const pg::Transaction rolled_back{db};
        const std::string update = fmt::format("UPDATE products SET {} = {} WHERE barcode = 'sku-1'", column,
                                               other_value(column, std::string{columns.text(row, 1)}));
        ASSERT_EQ(db.exec(update).affected(), 1U) << update;
        const std::string mark{db.exec(mark_sql).text(0, 0)};
        EXPECT_EQ(mark, text_columns.contains(column) ? "2 stale" : "1 fresh") << update;
        if (mark == "2 stale") ++marked;
    }
    EXPECT_EQ(marked, static_cast<int>(text_columns.size()));
}

TEST_F(CatalogTriggers, DoNotMarkAnUpdateThatChangesNothing) {
    auto db = with_.open();
    for (const std::string& column : text_columns)
        db.exec(fmt::format("UPDATE products SET {0} = {0}", column));
    EXPECT_EQ(db.exec(mark_sql).text(0, 0), "1 fresh");
}

TEST_F(CatalogTriggers, MarkAProductAgainWhenItsTextChangesTogetherWithItsVector) {
    with_.exec("UPDATE products SET name = 'other', last_embedding_update = now() WHERE sku = 'sku-1'");
    EXPECT_EQ(with_.value(mark_sql), "2 stale");
    with_.exec("UPDATE products SET last_embedding_update = now() WHERE sku = 'sku-1'");
    EXPECT_EQ(with_.value(mark_sql), "2 fresh");
}

TEST_F(CatalogTriggers, MarkTheProductsOfARenamedBrandOnceAndNoOthers) {
    with_.exec("UPDATE brands SET name = 'renamed' WHERE name = 'brand-1'");
    EXPECT_EQ(with_.value(mark_sql), "2 stale");
    with_.exec("UPDATE brands SET display_name = 'Renamed' WHERE name = 'renamed'");
    EXPECT_EQ(with_.value(mark_sql), "3 stale");
    with_.exec("UPDATE brands SET description = 'another', active = false, warranty_years = 3");
    EXPECT_EQ(with_.value(mark_sql), "3 stale");
    EXPECT_EQ(with_.value("SELECT count(*) FROM products WHERE embedding_version > 1"), "1");
}

TEST_F(CatalogTriggers, MarkTheProductsOfARenamedCategory) {
    with_.exec("UPDATE categories SET display_name = 'Renamed' WHERE name = 'cat-1'");
    EXPECT_EQ(
        with_.value("SELECT string_agg(sku, ' ' ORDER BY price) FROM products WHERE last_embedding_update IS NULL"),
        "sku-1 sku-9 sku-17");
    with_.exec("UPDATE categories SET sort_order = 3, meta_data = '{}', updated_at = now()");
    EXPECT_EQ(with_.value("SELECT max(embedding_version) FROM products"), "2");
}

TEST(CatalogStorage, MakesANewPriceAHotUpdate) {
    const SchemaCase with;
    with.put_products(10'000);
    auto db = with.open();
    db.exec("SELECT pg_stat_reset_single_table_counters('products'::regclass)");
    // As a sync does: a page of products at a time, spread over the table.
    for (int page = 0; page < 100; ++page)
        db.exec(fmt::format("UPDATE products SET price = price + 1 WHERE mod(substr(sku, 5)::int, 100) = {}", page));
    db.exec("SELECT pg_stat_force_next_flush()");
    const pg::Result counts =
        db.exec("SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'products'");
    EXPECT_EQ(counts.integer(0, 0), 10'000);
    EXPECT_GE(counts.integer(0, 1), 9'900);
}

TEST_F(CatalogTriggers, WakeWhoeverWaitsForProductsToEmbed) {
    auto worker = with_.open();
    const std::string copied =
        "name, specs, price, stock, category_id) SELECT gen_random_uuid(), name, specs, price, "
        "stock, category_id FROM products LIMIT 1";
    for (const std::string& change :
         {"INSERT INTO products (id, " + copied, std::string{"UPDATE products SET name = 'other' WHERE sku = 'sku-1'"},
          std::string{"UPDATE brands SET display_name = 'other' WHERE name = 'brand-1'"}}) {
        worker.exec("LISTEN decant_embedding_jobs");
        with_.exec(change);
        EXPECT_TRUE(worker.wait_for_notification(std::chrono::seconds{10})) << change;
    }
}

}  // namespace
}  // namespace decant::test
