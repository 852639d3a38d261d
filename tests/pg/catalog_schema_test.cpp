// schema up, down and status, and the SQL files run by hand.

#include <fmt/format.h>
#include <signal.h>

#include "tests/support/eventually.hpp"
#include "tests/support/schema_case.hpp"

namespace decant::test {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// A catalog as an application has made it: no model, no JSON, a column of its own, rows with old storage settings.
constexpr const char* own_catalog_sql = R"sql(
CREATE TABLE categories (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name varchar(100) UNIQUE NOT NULL,
                         display_name varchar(200) NOT NULL);
CREATE TABLE brands (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name varchar(100) UNIQUE, display_name varchar(200));
CREATE TABLE products (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name text NOT NULL, specs text NOT NULL,
                       price numeric(10, 2) NOT NULL, stock bigint, sku varchar(50) UNIQUE, category_id uuid NOT NULL,
                       brand_id uuid, active bool DEFAULT true, shelf text);
INSERT INTO categories (name, display_name) VALUES ('notebooks', 'Notebooks');
INSERT INTO products (name, specs, price, stock, sku, category_id, shelf)
SELECT 'Notebook ' || i, 'specs', i, i, 'n-' || i, (SELECT id FROM categories), 'shelf ' || i
FROM generate_series(1, 500) i;
)sql";

constexpr const char* own_content_sql =
    "SELECT md5(string_agg(concat_ws('|', id, name, specs, price, stock, sku, category_id, shelf), ',' ORDER BY id)) "
    "|| "
    "pg_relation_filenode('products') FROM products";

/// The Complete Rollback of the guide, as printed.
constexpr const char* guides_rollback_sql = R"sql(
DROP MATERIALIZED VIEW IF EXISTS product_embedding_stats CASCADE;
DROP TRIGGER IF EXISTS trigger_update_embedding_version ON products;
DROP FUNCTION IF EXISTS update_embedding_version();
DROP FUNCTION IF EXISTS find_similar_products;
DROP FUNCTION IF EXISTS product_similarity(UUID, UUID);
DROP INDEX IF EXISTS idx_products_embedding_hnsw;
DROP INDEX IF EXISTS idx_products_embedding_update;
DROP INDEX IF EXISTS idx_products_stale_embeddings;
DROP INDEX IF EXISTS idx_products_category_brand_stock;
ALTER TABLE products DROP COLUMN IF EXISTS embedding;
ALTER TABLE products DROP COLUMN IF EXISTS last_embedding_update;
ALTER TABLE products DROP COLUMN IF EXISTS embedding_model;
ALTER TABLE products DROP COLUMN IF EXISTS embedding_version;
DROP EXTENSION IF EXISTS vector CASCADE;
)sql";

std::string state_of(const SchemaCase& with, std::size_t migration) {
    const boost::json::value status = with.decant().run({"schema", "status", "--json"}).json();
    return std::string{status.at("migrations").at(migration).at("state").as_string()};
}

std::string as_role(std::string conninfo, const std::string& role) {
    const std::string user = "user=postgres";
    return conninfo.replace(conninfo.find(user), user.size(), "user=" + role);
}

TEST(CatalogSchema, IsMadeOfTheColumnsAndIndexesThatTheGuideNames) {
    const SchemaCase with;
    EXPECT_EQ(
        with.value("SELECT string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || coalesce(' ' || "
                   "pg_get_expr(d.adbin, d.adrelid), ''), ', ' ORDER BY a.attnum) FROM pg_attribute a LEFT JOIN "
                   "pg_attrdef d ON (d.adrelid, d.adnum) = (a.attrelid, a.attnum) WHERE a.attrelid = "
                   "'products'::regclass AND a.attname ~ 'embedding' AND NOT a.attisdropped"),
        "embedding vector(32), last_embedding_update timestamp without time zone, embedding_model character "
        "varying(100), embedding_version integer 1, embedding_hash bytea");
    EXPECT_EQ(
        with.value("SELECT string_agg(regexp_replace(indexdef, '.* INDEX (\\S+) .* USING ', '\\1 '), E'\\n' ORDER BY "
                   "indexname) FROM pg_indexes WHERE indexname ~ "
                   "'hnsw|embedding_update|stale|brand_stock|product_embedding_stats'"),
        "idx_product_embedding_stats btree (total_products)\n"
        "idx_products_category_brand_stock btree (category_id, brand_id, stock) WHERE (active AND (embedding IS NOT "
        "NULL))\n"
        "idx_products_embedding_hnsw hnsw (embedding vector_cosine_ops)\n"
        "idx_products_embedding_update btree (last_embedding_update) WHERE (embedding IS NOT NULL)\n"
        "idx_products_stale_embeddings btree (embedding_version, last_embedding_update) WHERE (active AND (embedding "
        "IS NULL))");
    EXPECT_EQ(with.value("SELECT reloptions FROM pg_class WHERE oid = 'products'::regclass"), "{fillfactor=80}");
    EXPECT_EQ(with.decant().run({"schema", "status"}).exit_code, 0);
}

TEST(CatalogSchema, CountsWhatIsEmbeddedMissingAndStaleInTheStatistics) {
    const SchemaCase with;
    with.put_products(20);
    with.exec(
        "UPDATE products SET embedding = NULL WHERE price <= 3; UPDATE products SET active = false WHERE price = 20;"
        "UPDATE products SET name = 'other' WHERE price = 10; UPDATE products SET embedding_model = 'b' WHERE price = "
        "11;"
        "SELECT refresh_embedding_stats()");
    const std::string counts =
        "SELECT concat_ws(' ', total_products, products_with_embeddings, missing_embeddings, stale_embeddings, "
        "embedding_models_used) FROM product_embedding_stats";
    EXPECT_EQ(with.value(counts), "19 16 3 1 {\"a model\",b}");
    EXPECT_EQ(
        with.value("SELECT avg_hours_since_update < 1 AND oldest_embedding_update <= newest_embedding_update FROM "
                   "product_embedding_stats"),
        "t");
    with.exec("SET decant.embedding_model = 'a model'; REFRESH MATERIALIZED VIEW CONCURRENTLY product_embedding_stats");
    EXPECT_EQ(with.value(counts), "19 16 3 2 {\"a model\",b}");
}

TEST(CatalogSchema, UpAgainHasNothingToApply) {
    const SchemaCase with;
    const Outcome again = with.decant().run({"schema", "up", "--json"});
    EXPECT_EQ(again.exit_code, 0) << again.told();
    EXPECT_TRUE(again.json().at("applied").as_array().empty());
    EXPECT_EQ(again.json().at("dimension").as_int64(), 32);
}

TEST(CatalogSchema, KeepsAnExistingCatalogWithEveryRow) {
    const SchemaCase with{ThrowawayCluster::shared().create_bare_database()};
    with.exec(own_catalog_sql);
    const std::string before = with.value(own_content_sql);
    ASSERT_EQ(with.decant().run({"schema", "up"}).exit_code, 0);
    EXPECT_EQ(with.value(own_content_sql), before) << "rows, or the file that holds them";
    EXPECT_EQ(with.decant().run({"schema", "status"}).exit_code, 0);
    EXPECT_EQ(with.value("SELECT count(*) FROM pg_index WHERE indrelid = 'products'::regclass AND NOT indisvalid"),
              "0");
    with.exec("UPDATE products SET model = 'M1' WHERE sku = 'n-1'");
    EXPECT_EQ(with.value("SELECT embedding_version FROM products WHERE sku = 'n-1'"), "2");
    ASSERT_EQ(with.decant().run({"schema", "down", "--yes"}).exit_code, 0);
    EXPECT_EQ(with.value(own_content_sql), before);
}

TEST(CatalogSchema, RunsByHandTwiceAndIsAdopted) {
    const SchemaCase with{ThrowawayCluster::shared().create_bare_database()};
    with.exec(own_catalog_sql);
    for (const char* file : {"000_catalog.sql", "001_add_pgvector_support.sql"}) {
        for (int time = 0; time < 2; ++time) {
            const Outcome run = with.psql_file(file, "PGOPTIONS=-c decant.dimension=16 -c client_min_messages=warning");
            EXPECT_EQ(run.exit_code, 0) << run.told();
            EXPECT_EQ(run.out, "");
        }
    }
    with.exec("UPDATE products SET embedding = array_fill(1, ARRAY[16])::vector, last_embedding_update = now()");
    EXPECT_EQ(state_of(with, 1), "made by hand");
    const Outcome up = with.decant().run({"schema", "up", "--json"});
    ASSERT_EQ(up.exit_code, 0) << up.told();
    EXPECT_EQ(up.json().at("dimension").as_int64(), 16);
    EXPECT_EQ(state_of(with, 1), "applied");
    EXPECT_EQ(with.value("SELECT count(embedding) || ' ' || count(last_embedding_update) FROM products"), "500 500");
    EXPECT_EQ(
        with.open()
            .exec("SELECT * FROM find_similar_products(array_fill(1, ARRAY[16])::vector, 0.9, 5, min_price => 100)")
            .rows(),
        5);
    // By hand without the setting: the column keeps its dimension.
    EXPECT_EQ(with.psql_file("001_add_pgvector_support.sql").exit_code, 0);
    EXPECT_EQ(with.value("SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = "
                         "'products'::regclass AND attname = 'embedding'"),
              "vector(16)");
}

TEST(CatalogSchema, ReplacesOlderFormsOfItsFunctions) {
    const SchemaCase with{ThrowawayCluster::shared().create_database()};
    with.exec(
        "CREATE FUNCTION find_similar_products(v vector, n int) RETURNS TABLE (id uuid) LANGUAGE sql AS 'SELECT "
        "NULL::uuid';"
        "CREATE FUNCTION product_similarity(a uuid, b uuid) RETURNS real LANGUAGE sql AS 'SELECT 0::real'");
    ASSERT_EQ(with.decant().run({"schema", "up"}).exit_code, 0);
    with.exec("DROP FUNCTION find_similar_products; DROP FUNCTION product_similarity(UUID, UUID)");
    EXPECT_EQ(state_of(with, 1), "incomplete");
    EXPECT_EQ(with.decant().run({"schema", "up"}).exit_code, 0);
    EXPECT_EQ(state_of(with, 1), "applied");
}

/// As managed servers are set up: extensions in a schema that nobody searches, and a role that owns only its catalog.
class ManagedCatalog : public testing::Test {
protected:
    ManagedCatalog() : admin_(ThrowawayCluster::shared().create_bare_database()), with_(as_role(admin_, "shop")) {
        exec(
            "DROP ROLE IF EXISTS shop; CREATE ROLE shop LOGIN; CREATE SCHEMA extensions; GRANT USAGE ON SCHEMA "
            "extensions "
            "TO shop; GRANT CREATE ON SCHEMA public TO shop; CREATE SCHEMA decant AUTHORIZATION shop");
    }
    ~ManagedCatalog() override { exec("DROP OWNED BY shop CASCADE; DROP ROLE shop"); }

    void exec(const std::string& sql) const { pg::Connection::open(admin_).exec(sql); }

    std::string admin_;
    SchemaCase with_;
};

TEST_F(ManagedCatalog, NeedsNoSuperuserAndNoSearchPath) {
    exec("CREATE EXTENSION vector SCHEMA extensions; CREATE EXTENSION pg_trgm SCHEMA extensions");
    const Outcome up = with_.decant().run({"schema", "up", "--dimension", "3"});
    ASSERT_EQ(up.exit_code, 0) << up.told();
    with_.exec(
        "INSERT INTO categories (name, display_name) VALUES ('c', 'C');"
        "INSERT INTO products (name, specs, price, stock, sku, category_id, embedding) SELECT 'p' || i, 's', i, 1, "
        "'sku-' || i, c.id, format('[1,%s,1]', i)::extensions.vector FROM categories c, generate_series(1, 9) i");
    EXPECT_EQ(with_.open().exec("SELECT * FROM find_similar_products('[1,2,1]'::extensions.vector, 0.9, 3)").rows(), 3);
    EXPECT_EQ(with_.decant().run({"similar", "sku-1", "--limit", "4", "--json"}).json().at("similar").as_array().size(),
              4U);
    EXPECT_NE(with_.value("SELECT product_similarity((SELECT id FROM products WHERE sku = 'sku-1'), (SELECT id FROM "
                          "products WHERE sku = 'sku-2'))"),
              "0");
    with_.exec("UPDATE categories SET name = 'other'; SELECT refresh_embedding_stats()");
    EXPECT_EQ(with_.psql_file("001_add_pgvector_support.sql").exit_code, 0);
    const Outcome down = with_.decant().run({"schema", "down", "--yes"});
    EXPECT_EQ(down.exit_code, 0) << down.told();
    EXPECT_THAT(down.out, HasSubstr("extension  vector stays"));
}

TEST_F(ManagedCatalog, M11_NamesAllThatARoleMayNotDoAndMakesNothing) {
    exec("DROP SCHEMA decant; REVOKE CREATE ON SCHEMA public FROM shop");
    const std::string objects = "SELECT count(*) FROM pg_class";
    const std::string before = with_.value(objects);
    const Outcome up = with_.decant().run({"schema", "up", "--dimension", "2001"});
    EXPECT_EQ(up.exit_code, 77) << up.told();
    EXPECT_THAT(up.err, AllOf(HasSubstr("5 things"), HasSubstr("pgvector extension not installed"),
                              HasSubstr("CREATE EXTENSION IF NOT EXISTS vector"), HasSubstr("pg_trgm"),
                              HasSubstr("may not make tables in schema 'public'"), HasSubstr("schema 'decant'"),
                              HasSubstr("2001 dimensions")));
    EXPECT_EQ(with_.value(objects), before);
}

TEST_F(ManagedCatalog, M11_LeavesAnotherRolesProductsAlone) {
    exec("CREATE EXTENSION vector");
    exec(own_catalog_sql);
    exec("GRANT SELECT ON products TO shop");
    for (const std::vector<std::string>& arguments :
         {std::vector<std::string>{"schema", "up"}, {"schema", "down", "--yes"}}) {
        const Outcome outcome = with_.decant().run(arguments);
        EXPECT_EQ(outcome.exit_code, 77) << outcome.told();
        EXPECT_THAT(outcome.err, HasSubstr("belongs to another role"));
    }
}

TEST(CatalogSchema, M12_RefusesAnotherDimensionThanTheColumnHas) {
    const SchemaCase with;
    const Outcome up = with.decant().run({"schema", "up", "--dimension", "768"});
    EXPECT_EQ(up.exit_code, 65) << up.told();
    EXPECT_THAT(
        up.err,
        AllOf(
            HasSubstr("Embedding dimension mismatch: --dimension asks for 768-d vectors, column products.embedding is "
                      "vector(32)"),
            HasSubstr("echo $OLLAMA_API_MODEL_EMBEDDING")));
}

TEST(CatalogSchema, M2_RebuildsAnIndexThatAKilledBuildLeftInvalid) {
    const SchemaCase with;
    with.put_products(100);
    with.exec("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'idx_products_embedding_hnsw'::regclass");
    EXPECT_THAT(with.decant().run({"schema", "status"}).out, HasSubstr("missing of 001_add_pgvector_support: index "
                                                                       "idx_products_embedding_hnsw"));
    const Outcome up = with.decant().run({"schema", "up"});
    ASSERT_EQ(up.exit_code, 0) << up.told();
    EXPECT_EQ(with.value("SELECT indisvalid FROM pg_index WHERE indexrelid = 'idx_products_embedding_hnsw'::regclass"),
              "t");
}

TEST(CatalogSchema, M9_NamesWhoHoldsTheLockAndGoesOnWhenItIsFree) {
    const SchemaCase with{ThrowawayCluster::shared().create_database()};
    with.exec(own_catalog_sql);
    auto blocker = pg::Connection::open(with.decant().conninfo() + " application_name=nightly_report");
    blocker.exec("BEGIN; LOCK TABLE products; SELECT count(*) FROM products");
    RunningDecant up = with.decant().start({"schema", "up"});
    ASSERT_TRUE(eventually(20s, [&] { return up.err().find("try 1 of 5") != std::string::npos; })) << up.err();
    EXPECT_THAT(up.err(), AllOf(HasSubstr(fmt::format("pid {}", blocker.backend_pid())), HasSubstr("user postgres"),
                                HasSubstr("nightly_report"), HasSubstr("SELECT count(*) FROM products")));
    blocker.exec("COMMIT");
    const Outcome outcome = up.wait();
    EXPECT_EQ(outcome.exit_code, 0) << outcome.told();
}

TEST(CatalogSchema, M9_GivesUpAfterFiveTriesAndKeepsReadersWaitingNoLonger) {
    const SchemaCase with{ThrowawayCluster::shared().create_database()};
    with.exec(own_catalog_sql);
    auto blocker = with.open();
    blocker.exec("BEGIN; LOCK TABLE products IN ACCESS SHARE MODE");
    RunningDecant up = with.decant().start({"schema", "up"});
    auto reader = with.open();
    reader.exec("SET statement_timeout = '4s'");
    ASSERT_TRUE(eventually(20s, [&] { return up.err().find("waiting: held by") != std::string::npos; })) << up.err();
    EXPECT_EQ(reader.exec("SELECT count(*) FROM products").integer(0, 0), 500);
    const Outcome outcome = up.wait();
    EXPECT_EQ(outcome.exit_code, 75) << outcome.told();
    EXPECT_THAT(outcome.err, HasSubstr(fmt::format("held by pid {}", blocker.backend_pid())));
    EXPECT_EQ(with.value("SELECT count(*) FROM pg_attribute WHERE attrelid = 'products'::regclass AND attname = "
                         "'embedding'"),
              "0");
}

TEST(CatalogSchema, B1_LeavesWhatANewerDecantMadeAlone) {
    const SchemaCase with;
    with.exec("INSERT INTO decant.schema_migrations (version, name, checksum) VALUES (99, '099_of_tomorrow', '')");
    for (const std::vector<std::string>& arguments :
         {std::vector<std::string>{"schema", "up"}, {"schema", "down", "--yes"}}) {
        const Outcome outcome = with.decant().run(arguments);
        EXPECT_EQ(outcome.exit_code, 75) << outcome.told();
        EXPECT_THAT(outcome.err, HasSubstr("099_of_tomorrow"));
    }
    EXPECT_EQ(with.decant().run({"schema", "status"}).exit_code, 0);
}

TEST(CatalogSchema, B1_AnInterruptedDownChangesNothing) {
    const SchemaCase with;
    with.put_products(20);
    auto blocker = with.open();
    blocker.exec("BEGIN; SELECT count(*) FROM brands");
    RunningDecant down = with.decant().start({"schema", "down", "--yes"});
    ASSERT_TRUE(eventually(20s, [&] { return down.err().find("held by") != std::string::npos; })) << down.err();
    down.signal(SIGKILL);
    down.wait();
    blocker.exec("COMMIT");
    EXPECT_EQ(state_of(with, 1), "applied");
    EXPECT_EQ(with.value("SELECT count(embedding) FROM products"), "20");
}

TEST(CatalogSchema, SurvivesDumpAndRestoreByARoleThatIsNoSuperuser) {
    const SchemaCase with;
    with.put_products(50);
    ThrowawayCluster& cluster = ThrowawayCluster::shared();
    const std::string target = cluster.create_bare_database();
    pg::Connection::open(target).exec(
        fmt::format("DROP ROLE IF EXISTS restorer; CREATE ROLE restorer LOGIN; ALTER DATABASE {} OWNER TO restorer; "
                    "CREATE EXTENSION "
                    "vector; CREATE EXTENSION pg_trgm; ALTER SCHEMA public OWNER TO restorer",
                    database_of(target)));
    const auto program = [&](const std::string& name) {
        return (cluster.installation().folder() / "bin" / name).string();
    };
    const Outcome restored = with.shell(
        fmt::format("set -o pipefail; {} -d '{}' --schema=public --no-owner --no-acl | sed '/^CREATE SCHEMA public/d' "
                    "| {} -X -q -v ON_ERROR_STOP=1 -d '{}' 2>&1 "
                    ">/dev/null",
                    program("pg_dump"), with.decant().conninfo(), program("psql"), as_role(target, "restorer")));
    ASSERT_EQ(restored.exit_code, 0) << restored.told();
    const SchemaCase copy{as_role(target, "restorer")};
    EXPECT_EQ(copy.decant().run({"similar", "sku-7", "--json"}).out,
              with.decant().run({"similar", "sku-7", "--json"}).out);
    // The queue is not in the schema that was dumped.
    copy.exec("UPDATE products SET name = name || '!'");
    EXPECT_EQ(copy.decant().run({"schema", "up"}).exit_code, 0);
    EXPECT_EQ(copy.decant().run({"schema", "status"}).exit_code, 0);
    pg::Connection::open(target).exec("REASSIGN OWNED BY restorer TO postgres; DROP OWNED BY restorer");
}

TEST(CatalogSchema, DownKeepsTheExtensionWhileSomethingElseUsesIt) {
    const SchemaCase with;
    with.put_products(20);
    with.exec("CREATE TABLE other (id int, v vector(3)); INSERT INTO other VALUES (1, '[1,2,3]')");
    const Outcome refused = with.decant().run({"schema", "down"});
    EXPECT_EQ(refused.exit_code, 2) << refused.told();
    EXPECT_THAT(refused.err, AllOf(HasSubstr("20 embeddings"), HasSubstr("decant schema down --yes")));
    const Outcome kept = with.decant().run({"schema", "down", "--yes"});
    EXPECT_EQ(kept.exit_code, 0) << kept.told();
    EXPECT_THAT(kept.out, HasSubstr("extension  vector stays: column v of table other depends on type vector"));
    EXPECT_EQ(with.value("SELECT v FROM other"), "[1,2,3]");
    with.exec("DROP TABLE other");
    EXPECT_THAT(with.decant().run({"schema", "down", "--yes"}).out, HasSubstr("extension  vector is removed"));
    EXPECT_EQ(with.value("SELECT count(*) FROM products"), "20");
}

TEST(CatalogSchema, TheCatalogIsWrittenToAsBeforeAfterEitherRollback) {
    const SchemaCase with;
    with.put_products(20);
    for (const bool is_the_guides : {true, false}) {
        if (is_the_guides)
            with.exec(guides_rollback_sql);
        else
            ASSERT_EQ(with.decant().run({"schema", "down", "--yes"}).exit_code, 0);
        with.exec(
            "UPDATE products SET name = name || '!', price = 1, stock = 2; UPDATE brands SET name = name || '!';"
            "UPDATE categories SET display_name = 'other', name = name || '!';"
            "INSERT INTO brands (name) VALUES ('new'); INSERT INTO categories (name, display_name) VALUES ('new', "
            "'New');"
            "INSERT INTO products (name, specs, price, category_id) SELECT 'new', 's', 1, id FROM categories WHERE "
            "name = "
            "'new'; DELETE FROM products WHERE name = 'new'; DELETE FROM categories WHERE name = 'new';"
            "DELETE FROM brands WHERE name = 'new'");
        EXPECT_EQ(state_of(with, 1), is_the_guides ? "incomplete" : "pending");
        ASSERT_EQ(with.decant().run({"schema", "up", "--dimension", "32"}).exit_code, 0);
        EXPECT_EQ(state_of(with, 1), "applied");
    }
}

TEST(CatalogSchema, DownOfTheCatalogRemovesOnlyItsOwnEmptyTables) {
    const SchemaCase with;
    with.put_products(3);
    with.exec("DELETE FROM products");
    ASSERT_EQ(with.psql_file("001_add_pgvector_support.down.sql").exit_code, 0);
    const Outcome down = with.psql_file("000_catalog.down.sql");
    ASSERT_EQ(down.exit_code, 0) << down.told();
    EXPECT_THAT(down.out,
                AllOf(HasSubstr("table brands stays: it holds rows"), Not(HasSubstr("table products stays"))));
    EXPECT_EQ(
        with.value("SELECT string_agg(tablename, ' ' ORDER BY tablename) FROM pg_tables WHERE schemaname = 'public'"),
        "brands categories");
}

}  // namespace
}  // namespace decant::test
