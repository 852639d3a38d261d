// What puts products into the queue, and what does not.

#include <map>

#include "tests/support/embedding_case.hpp"

namespace decant::test {
namespace {

class QueueTriggers : public testing::Test {
protected:
    QueueTriggers() {
        with_.put(1, 3);
        with_.exec("ALTER TABLE products ALTER COLUMN category_id SET DEFAULT '" +
                   with_.value("SELECT id FROM categories WHERE name = 'audio'") + "'");
        with_.empty_queue();
    }
    /// The skus that a statement queues.
    std::string queued_by(const std::string& sql) const {
        with_.empty_queue();
        with_.exec(sql);
        return with_.value(
            "SELECT coalesce(string_agg(p.sku, ' ' ORDER BY p.sku), '') FROM decant.embedding_jobs j JOIN products p "
            "ON p.id = j.product_id");
    }
    EmbeddingCase with_;
};

TEST_F(QueueTriggers, QueueWhatIsInserted) {
    EXPECT_EQ(queued_by("INSERT INTO products (name, specs, price, stock, sku) VALUES ('a', '', 1, 1, 'new-1'), ('b', "
                        "'', 1, 1, 'new-2')"),
              "new-1 new-2");
    EXPECT_EQ(queued_by("COPY products (name, specs, price, stock, sku) FROM PROGRAM "
                        "'printf ''c\\t\\t1\\t1\\tcopied-%s\\n'' 1 2 3'"),
              "copied-1 copied-2 copied-3");
    EXPECT_EQ(queued_by("INSERT INTO products (id, name, specs, price, stock, sku) SELECT id, 'other', specs, price, "
                        "stock, sku FROM products WHERE sku = 'p-1' ON CONFLICT (id) DO UPDATE SET name = "
                        "excluded.name"),
              "p-1");
}

TEST_F(QueueTriggers, DoNotQueueWhatComesWithAVectorOrIsNotActive) {
    EXPECT_EQ(queued_by("INSERT INTO products (name, specs, price, stock, sku, active, embedding) VALUES "
                        "('a', '', 1, 1, 'new-1', false, NULL), ('b', '', 1, 1, 'new-2', true, '[1,2,3,4,5,6,7,8]')"),
              "");
    EXPECT_EQ(queued_by("UPDATE products SET active = false, name = 'other' WHERE sku = 'p-1'"), "");
    EXPECT_EQ(queued_by("UPDATE products SET name = 'another' WHERE sku = 'p-1'"), "");
    EXPECT_EQ(queued_by("UPDATE products SET active = true WHERE sku = 'p-1'"), "p-1");
}

TEST_F(QueueTriggers, QueueAChangeOfEachColumnOfTheEmbeddingText) {
    const std::map<std::string, std::string> columns{
        {"name", "'other'"},
        {"model", "'other'"},
        {"description", "'other'"},
        {"specs", "'other'"},
        {"technical_specs", "'{\"other\": 1}'"},
        {"features", "'{\"other\": 1}'"},
        {"category_id", "(SELECT id FROM categories WHERE name = 'video')"},
        {"brand_id", "(SELECT id FROM brands WHERE name = 'umbra')"}};
    for (const auto& [column, other] : columns) {
        const std::string update = fmt::format("UPDATE products SET {} = {} WHERE sku = 'p-2'", column, other);
        EXPECT_EQ(queued_by(update), "p-2") << update;
        EXPECT_EQ(queued_by(update), "") << "the second time it changes nothing: " << update;
    }
}

TEST_F(QueueTriggers, DoNotQueueWhatIsNoPartOfTheText) {
    EXPECT_EQ(queued_by("UPDATE products SET price = price + 1, stock = stock + 1, sku = sku || '', barcode = '1'"),
              "");
    EXPECT_EQ(queued_by("UPDATE products SET embedding = '[1,2,3,4,5,6,7,8]', last_embedding_update = now()"), "");
    EXPECT_EQ(
        queued_by("UPDATE brands SET description = 'other', active = false; UPDATE categories SET sort_order = 9"), "");
}

TEST_F(QueueTriggers, QueueTheActiveProductsOfARenamedBrandOrCategory) {
    with_.exec("UPDATE products SET active = false WHERE sku = 'p-1'");
    with_.exec("UPDATE products SET brand_id = (SELECT id FROM brands WHERE name = 'umbra') WHERE sku = 'p-2'");
    EXPECT_EQ(queued_by("UPDATE brands SET name = 'acme & sons' WHERE name = 'acme'"), "p-3");
    EXPECT_EQ(queued_by("UPDATE categories SET display_name = 'Sound' WHERE name = 'audio'"), "p-2 p-3");
    EXPECT_EQ(queued_by("UPDATE categories SET display_name = 'Pictures' WHERE name = 'video'"), "");
}

TEST_F(QueueTriggers, NeedNoRightsOnTheQueueOfThoseWhoWriteProducts) {
    with_.exec(
        "CREATE ROLE queue_writer; GRANT SELECT, INSERT, UPDATE, DELETE ON products, brands, categories TO "
        "queue_writer");
    EXPECT_EQ(queued_by("SET ROLE queue_writer; SET search_path = pg_temp; INSERT INTO public.products (name, specs, "
                        "price, stock, sku) VALUES ('a', '', 1, 1, 'new-1'); UPDATE public.products SET name = 'b' "
                        "WHERE sku = 'p-1'; UPDATE public.brands SET name = 'c' WHERE name = 'acme'; RESET ROLE"),
              "new-1 p-1 p-1 p-2 p-3");
    with_.exec("DROP OWNED BY queue_writer; DROP ROLE queue_writer");
}

TEST_F(QueueTriggers, AreNotMisledByWhatAWriterPutsInTheWay) {
    with_.exec("CREATE ROLE queue_misleader; GRANT SELECT, INSERT, UPDATE ON products TO queue_misleader");
    // Its own operators and tables come first in its search path, and the trigger's functions run as their owner.
    with_.exec("CREATE SCHEMA traps AUTHORIZATION queue_misleader");
    EXPECT_EQ(queued_by("SET ROLE queue_misleader; SET search_path = traps, public, pg_catalog;"
                        "CREATE FUNCTION traps.trap(name, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE "
                        "EXCEPTION 'run as %', current_user; END $$;"
                        "CREATE OPERATOR traps.= (LEFTARG = name, RIGHTARG = text, FUNCTION = traps.trap);"
                        "CREATE TABLE traps.pg_attribute (attrelid oid, attname name, attisdropped boolean);"
                        "CREATE FUNCTION traps.pg_notify(text, text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN RAISE "
                        "EXCEPTION 'run as %', current_user; END $$;"
                        "INSERT INTO public.products (name, specs, price, stock, sku) VALUES ('a', '', 1, 1, 'new-1');"
                        "UPDATE public.products SET name = 'b' WHERE sku OPERATOR(pg_catalog.=) 'p-1'; RESET ROLE"),
              "new-1 p-1");
    with_.exec("DROP OWNED BY queue_misleader CASCADE; DROP ROLE queue_misleader");
}

TEST_F(QueueTriggers, LeaveTheCatalogWritableWhereTheQueueOrTheVectorsAreGone) {
    const std::string writes =
        "INSERT INTO products (name, specs, price, stock, sku, category_id, brand_id) SELECT 'new', '', 1, 1, 'new', "
        "c.id, b.id FROM categories c, brands b LIMIT 1; UPDATE products SET name = name || '!', active = NOT active;"
        "UPDATE products SET active = true; UPDATE brands SET name = name || '!';"
        "UPDATE categories SET display_name = 'other'; DELETE FROM products WHERE sku = 'new'";
    with_.exec("BEGIN; ALTER TABLE products DROP COLUMN embedding CASCADE; " + writes + "; ROLLBACK");
    with_.exec("BEGIN; DROP TABLE decant.embedding_jobs; " + writes + "; ROLLBACK");
    with_.exec("DROP SCHEMA decant CASCADE");
    with_.exec(writes);
    EXPECT_EQ(with_.decant().run({"schema", "up", "--dimension", "8"}).exit_code, 0);
    EXPECT_EQ(queued_by(writes), "p-1 p-1 p-2 p-2 p-3 p-3") << "renamed as a product, by its brand and its category";
}

}  // namespace
}  // namespace decant::test
