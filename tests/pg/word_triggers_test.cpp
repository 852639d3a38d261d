// What keeps decant.product_words, and what leaves it alone.

#include <fmt/format.h>

#include <map>

#include "tests/support/schema_case.hpp"

namespace decant::test {
namespace {

using testing::HasSubstr;

class WordTriggers : public testing::Test {
protected:
    WordTriggers() {
        with_.exec(
            "INSERT INTO categories (name, display_name) VALUES ('audio', 'Sonido'), ('video', 'Imagen');"
            "INSERT INTO brands (name) VALUES ('acme'), ('umbra');"
            "INSERT INTO subcategories (name, display_name, category_id) SELECT 'chicos', 'Chicos', id FROM categories "
            "WHERE name = 'audio'");
        with_.exec(insert("p-1") + ";" + insert("p-2"));
    }
    static std::string insert(const std::string& sku) {
        return fmt::format(
            "INSERT INTO products (name, specs, price, stock, sku, category_id, brand_id) SELECT 'nombre', 'specs', 1, "
            "1, '{}', c.id, b.id FROM categories c, brands b WHERE c.name = 'audio' AND b.name = 'acme'",
            sku);
    }
    /// Whether the words of a product match.
    bool has(const std::string& sku, const std::string& query) const {
        return with_.value(
                   fmt::format("SELECT coalesce((SELECT w.words @@ '{}' FROM decant.product_words w JOIN products "
                               "p ON p.id = w.product_id WHERE p.sku = '{}'), false)",
                               query, sku)) == "t";
    }
    /// The version of the row of words; a write makes a new one.
    std::string version(const std::string& sku) const {
        return with_.value(
            fmt::format("SELECT w.ctid || ' ' || w.xmin FROM decant.product_words w JOIN products p ON "
                        "p.id = w.product_id WHERE p.sku = '{}'",
                        sku));
    }
    std::string words() const {
        return with_.value(
            "SELECT string_agg(product_id || words::text, ' ' ORDER BY product_id) FROM "
            "decant.product_words");
    }

    SchemaCase with_;
};

TEST_F(WordTriggers, MakeTheWordsOfWhatIsInsertedOrCopied) {
    with_.exec(fmt::format("ALTER TABLE products ALTER COLUMN category_id SET DEFAULT '{}'",
                           with_.value("SELECT id FROM categories WHERE name = 'audio'")));
    with_.exec(
        "COPY products (name, specs, price, stock, sku) FROM PROGRAM 'printf ''Copia\\t\\t1\\t1\\tc-%s\\n'' 1 2'");
    EXPECT_TRUE(has("c-1", "copi:A & son:B") && has("c-2", "copi:A"));
    with_.exec(
        "INSERT INTO products (id, name, specs, price, stock, sku) SELECT id, 'zafiro', specs, price, stock, sku FROM "
        "products WHERE sku = 'p-1' ON CONFLICT (id) DO UPDATE SET name = excluded.name");
    EXPECT_TRUE(has("p-1", "zafir:A & !nombr"));
}

TEST_F(WordTriggers, WeighEachColumnByWhatItIs) {
    const std::map<std::string, std::pair<std::string, std::string>> columns{
        {"name", {"'zafiro'", "zafir:A"}},
        {"model", {"'zafiro'", "zafir:A"}},
        {"description", {"'zafiro'", "zafir:C"}},
        {"short_description", {"'zafiro'", "zafir:C"}},
        {"specs", {"'zafiro'", "zafir:D"}},
        {"technical_specs", {"'{\"piedra\": \"zafiro\"}'", "zafir:D"}},
        {"features", {"'[\"zafiro\"]'", "zafir:D"}},
        {"brand_id", {"(SELECT id FROM brands WHERE name = 'umbra')", "umbra:B"}},
        {"category_id", {"(SELECT id FROM categories WHERE name = 'video')", "imag:B"}},
        {"subcategory_id", {"(SELECT id FROM subcategories)", "chic:B"}},
        {"sku", {"'z-77 /x'", "''#Z77X''"}},
        {"barcode", {"'779 1234'", "''#7791234''"}}};
    pg::Connection db = with_.open();
    const auto matches = [&](const std::string& query) {
        return db.exec(fmt::format("SELECT count(*) FROM decant.product_words WHERE words @@ '{}'", query))
            .integer(0, 0);
    };
    for (const auto& [column, change] : columns) {
        const auto& [value, query] = change;
        EXPECT_EQ(matches(query), 0) << column;
        const std::string before =
            with_.value(fmt::format("SELECT quote_nullable({}::text) FROM products WHERE sku = 'p-2'", column));
        const std::string id = with_.value("SELECT id FROM products WHERE sku = 'p-2'");
        db.exec(fmt::format("UPDATE products SET {} = {} WHERE id = '{}'", column, value, id));
        EXPECT_EQ(matches(query), 1) << column;
        db.exec(fmt::format("UPDATE products SET {} = {} WHERE id = '{}'", column, before, id));
        EXPECT_EQ(matches(query), 0) << column << ": what is gone is not found";
    }
}

TEST_F(WordTriggers, WriteNothingForPricesStocksAndWhatIsAsBefore) {
    const std::string before = version("p-1");
    with_.exec(
        "UPDATE products SET price = 7, stock = 8, featured = true, active = false, updated_at = now(), "
        "search_vector = 'mine'");
    with_.exec("UPDATE products SET name = name, sku = sku, description = description, price = 9");
    EXPECT_EQ(version("p-1"), before);
    EXPECT_EQ(with_.value("SELECT DISTINCT search_vector FROM products"), "'mine'") << "the user's own";
}

TEST_F(WordTriggers, WriteTheProductsOfARenamedBrandCategoryOrSubcategory) {
    with_.exec("UPDATE products SET subcategory_id = (SELECT id FROM subcategories) WHERE sku = 'p-1'");
    with_.exec("UPDATE brands SET name = 'cascada' WHERE name = 'acme'");
    EXPECT_TRUE(has("p-1", "casc:B & !acme") && has("p-2", "casc:B"));
    with_.exec("UPDATE categories SET display_name = 'Ruido' WHERE name = 'audio'");
    EXPECT_TRUE(has("p-1", "ruid:B & !son"));
    with_.exec("UPDATE subcategories SET name = 'enanos'");
    EXPECT_TRUE(has("p-1", "enan:B") && !has("p-2", "enan"));
    const std::string before = version("p-1");
    with_.exec("UPDATE brands SET description = 'other'; UPDATE categories SET sort_order = 4");
    EXPECT_EQ(version("p-1"), before);
}

TEST_F(WordTriggers, RemoveTheWordsOfRemovedProducts) {
    with_.exec("DELETE FROM products WHERE sku = 'p-1'");
    EXPECT_EQ(with_.value("SELECT count(*) FROM decant.product_words"), "1");
    with_.exec("TRUNCATE products");
    EXPECT_EQ(with_.value("SELECT count(*) FROM decant.product_words"), "0");
}

TEST_F(WordTriggers, AgreeWithAFillFromNothingAfterAnyChange) {
    with_.exec(
        "UPDATE products SET name = 'uno', model = 'm-1' WHERE sku = 'p-1';"
        "UPDATE products SET description = 'dos tres', name = 'cuatro' WHERE sku = 'p-2';"
        "UPDATE products SET barcode = '77', name = 'cinco' WHERE sku = 'p-2'; UPDATE brands SET name = 'seis' WHERE "
        "name = 'acme'");
    const std::string kept = words();
    with_.exec("DELETE FROM decant.product_words");
    ASSERT_EQ(with_.psql_file("004_fill_product_words.sql").exit_code, 0);
    EXPECT_EQ(words(), kept);
}

TEST_F(WordTriggers, NeedNoRightsOnTheWordsOfThoseWhoWriteProducts) {
    with_.exec(
        "DROP ROLE IF EXISTS word_writer; CREATE ROLE word_writer; GRANT SELECT, INSERT, UPDATE, DELETE ON products, "
        "brands, categories TO word_writer; CREATE SCHEMA traps AUTHORIZATION word_writer;");
    with_.exec(
        "SET ROLE word_writer; SET search_path = traps, pg_temp; CREATE TABLE traps.brands (id uuid, name text);"
        "CREATE FUNCTION traps.decant_keeps_words() RETURNS bool LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'run as "
        "%', "
        "current_user; END $$; UPDATE public.products SET name = 'zafiro' WHERE sku = 'p-1'; UPDATE public.brands SET "
        "name "
        "= 'nueva' WHERE name = 'acme'; DELETE FROM public.products WHERE sku = 'p-2'; RESET ROLE");
    EXPECT_TRUE(has("p-1", "zafir:A & nuev:B"));
    EXPECT_EQ(with_.value("SELECT count(*) FROM decant.product_words"), "1");
    with_.exec("DROP OWNED BY word_writer CASCADE; DROP ROLE word_writer");
}

TEST_F(WordTriggers, LeaveTheCatalogWritableWhereTheWordsOrAColumnAreGone) {
    const std::string writes =
        insert("new") +
        "; UPDATE products SET name = name || '!', specs = 'other'; UPDATE products SET price = 2; UPDATE brands SET "
        "name "
        "= name || '!'; UPDATE categories SET display_name = 'other'; DELETE FROM products WHERE sku = 'new'";
    for (const char* change :
         {"DROP TABLE decant.product_words", "DROP SCHEMA decant CASCADE",
          "ALTER TABLE products RENAME COLUMN barcode TO ean", "ALTER TABLE products RENAME COLUMN features TO traits",
          "ALTER TABLE products DROP COLUMN barcode CASCADE",
          "ALTER TABLE products RENAME COLUMN short_description TO s",
          "ALTER TABLE products DROP COLUMN subcategory_id CASCADE", "DROP TABLE subcategories CASCADE",
          "ALTER TABLE subcategories RENAME TO kinds"}) {
        EXPECT_NO_THROW(with_.exec(fmt::format("BEGIN; {}; {}; ROLLBACK", change, writes))) << change;
    }
}

TEST(WordMigration, TakesTextsOfAnyLength) {
    const SchemaCase with{ThrowawayCluster::shared().create_database()};
    with.exec(
        "CREATE TABLE products (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name text, sku text, barcode bigint, "
        "description text, specs text)");
    ASSERT_EQ(with.psql_file("003_product_search.sql").exit_code, 0);
    with.exec(
        "INSERT INTO products (name, sku, barcode, description, specs) VALUES (repeat('nombre ', 200000), "
        "repeat('x', 3000), 779, repeat('palabra larga ', 200000), repeat('y', 5000)), (NULL, '--', NULL, NULL, '')");
    EXPECT_EQ(with.value("SELECT count(*) FROM decant.product_words"), "2");
    EXPECT_EQ(with.value("SELECT count(*) FROM decant.product_words WHERE words @@ $$nombr:A & palabr:C & '#779'$$"),
              "1");
}

TEST(WordMigration, FillsAnExistingCatalogOfAnotherShape) {
    const SchemaCase with{ThrowawayCluster::shared().create_database()};
    with.exec(
        "CREATE TABLE products (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name text NOT NULL, price float8, stock "
        "int, "
        "technical_specs json, active bool DEFAULT true, search_vector tsvector);"
        "INSERT INTO products (name, price, stock, technical_specs, search_vector) SELECT 'Lámpara ' || i, i, 1, "
        "'{\"luz\": \"roja\"}', 'mine' FROM generate_series(1, 2500) i");
    for (int time = 0; time < 2; ++time) {
        for (const char* file : {"003_product_search.sql", "004_fill_product_words.sql"}) {
            const Outcome run = with.psql_file(file, "PGOPTIONS=-c client_min_messages=warning");
            ASSERT_EQ(run.exit_code, 0) << run.told();
        }
        EXPECT_EQ(with.value("SELECT count(*) FROM decant.product_words WHERE words @@ 'lamp:A & roj:D'"), "2500");
    }
    with.exec(
        "UPDATE products SET name = 'Vela', technical_specs = '{\"luz\": \"azul\"}' WHERE price = 1; INSERT INTO "
        "products (name) VALUES ('Vela'); DELETE FROM products WHERE price = 2");
    EXPECT_EQ(with.value("SELECT count(*) FROM decant.product_words WHERE words @@ 'vel'"), "2");
    EXPECT_EQ(with.value("SELECT DISTINCT search_vector FROM products WHERE price > 0"), "'mine'");
    for (const char* file : {"004_fill_product_words.down.sql", "003_product_search.down.sql"})
        for (int time = 0; time < 2; ++time)
            ASSERT_EQ(with.psql_file(file, "PGOPTIONS=-c client_min_messages=warning").exit_code, 0) << file;
    with.exec("UPDATE products SET name = 'x'; DELETE FROM products");
    EXPECT_EQ(with.value("SELECT count(*) FROM pg_trigger WHERE tgrelid = 'products'::regclass"), "0");
    EXPECT_EQ(with.value("SELECT count(*) FROM pg_proc WHERE proname LIKE 'decant%'"), "0");
}

TEST(WordMigration, MakesWordsAnewThatNoTriggerKept) {
    const SchemaCase with;
    with.put_products(20);
    with.exec(
        "DROP TRIGGER decant_words_changed ON products; UPDATE products SET name = 'Diamante' WHERE sku = 'sku-3'");
    const Outcome status = with.decant().run({"schema", "status"});
    EXPECT_EQ(status.exit_code, 1);
    EXPECT_THAT(status.out, HasSubstr("missing of 003_product_search: trigger decant_words_changed"));
    ASSERT_EQ(with.decant().run({"schema", "up"}).exit_code, 0);
    EXPECT_EQ(with.value("SELECT count(*) FROM decant.product_words"), "20");
    EXPECT_EQ(with.value("SELECT count(*) FROM decant.product_words WHERE words @@ 'diamant'"), "1");
    with.exec("DROP INDEX decant.idx_product_words");
    EXPECT_THAT(with.decant().run({"schema", "status"}).out, HasSubstr("index decant.idx_product_words"));
    ASSERT_EQ(with.decant().run({"schema", "up"}).exit_code, 0);
    EXPECT_EQ(with.decant().run({"schema", "status"}).exit_code, 0);
}

TEST(WordMigration, NeverOverwritesWhatATriggerMadeMeanwhile) {
    const SchemaCase with;
    with.put_products(3);
    with.exec("UPDATE decant.product_words SET words = 'newer'");
    ASSERT_EQ(with.psql_file("004_fill_product_words.sql").exit_code, 0);
    EXPECT_EQ(with.value("SELECT count(*) FROM decant.product_words WHERE words = 'newer'"), "3");
}

}  // namespace
}  // namespace decant::test
