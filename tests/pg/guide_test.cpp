// Every psql call of the migration guide, as printed there, with those very arguments.

#include <fmt/format.h>

#include <filesystem>
#include <fstream>

#include "core/child_process.hpp"
#include "tests/support/schema_case.hpp"
#include "tests/support/scratch_folder.hpp"

namespace decant::test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

/// A server with the guide's database, role and files; bash finds psql, the port and the password as a user's would.
class Guide : public testing::Test {
protected:
    Guide() : folder_(make_scratch_folder("guide")) {
        pg::Connection::open(cluster_.conninfo()).exec("CREATE ROLE enzo SUPERUSER LOGIN PASSWORD 'enzo''s'");
        pg::Connection::open(cluster_.conninfo()).exec("CREATE DATABASE aynux OWNER enzo TEMPLATE template0");
        fs::create_directories(folder_ / "app/scripts/migrations");
        fs::copy(DECANT_SOURCE_DIR "/migrations/001_add_pgvector_support.sql", folder_ / "app/scripts/migrations");
        std::ofstream{folder_ / "pgpass"} << fmt::format("localhost:{}:aynux:enzo:enzo's\n", cluster_.port());
        fs::permissions(folder_ / "pgpass", fs::perms::owner_read | fs::perms::owner_write);
    }
    ~Guide() override { fs::remove_all(folder_); }

    Outcome shell(const std::string& snippet) const {
        const fs::path installation = cluster_.installation().folder();
        const ProgramResult result =
            run_program({.argv = {"/bin/bash", "-c",
                                  fmt::format("set -e; psql() {{ LD_LIBRARY_PATH={0}/lib {0}/bin/psql \"$@\"; }}\n{1}",
                                              installation.string(), snippet)},
                         .environment = {fmt::format("PGPORT={}", cluster_.port()),
                                         fmt::format("PGPASSFILE={}", (folder_ / "pgpass").string()),
                                         fmt::format("HOME={}", folder_.string())},
                         .directory = folder_.string()});
        return {.exit_code = result.exit_code, .out = result.output, .err = "", .seconds = 0};
    }
    /// What a snippet that must succeed prints.
    std::string printed(const std::string& snippet) const {
        const Outcome outcome = shell(snippet);
        EXPECT_EQ(outcome.exit_code, 0) << snippet << "\n" << outcome.told();
        EXPECT_THAT(outcome.out, testing::Not(HasSubstr("ERROR"))) << snippet;
        return outcome.out;
    }
    void make_catalog() {
        const Outcome catalog =
            shell("psql -h localhost -U enzo -d aynux -q -f " DECANT_SOURCE_DIR "/migrations/000_catalog.sql");
        ASSERT_EQ(catalog.exit_code, 0) << catalog.told();
    }

    ThrowawayCluster cluster_;
    fs::path folder_;
};

constexpr const char* install_extension =
    R"(psql -h localhost -U enzo -d aynux -c "CREATE EXTENSION IF NOT EXISTS vector;")";
constexpr const char* run_script =
    "psql -h localhost -U enzo -d aynux -f app/scripts/migrations/001_add_pgvector_support.sql";
constexpr const char* verify_extension =
    R"(psql -h localhost -U enzo -d aynux -c "SELECT * FROM pg_extension WHERE extname = 'vector';")";

constexpr const char* coverage = R"(psql -h localhost -U enzo -d aynux -c "
SELECT
  COUNT(*) as total_products,
  COUNT(embedding) as with_embeddings,
  COUNT(*) - COUNT(embedding) as missing_embeddings
FROM products
WHERE active = true;
")";
constexpr const char* missing = R"(psql -h localhost -U enzo -d aynux -c "
SELECT id, name
FROM products
WHERE active = true AND embedding IS NULL
LIMIT 10;
")";
constexpr const char* list_indexes = R"(psql -h localhost -U enzo -d aynux -c "
SELECT indexname, indexdef
FROM pg_indexes
WHERE tablename = 'products' AND indexname LIKE '%embedding%';
")";
/// As printed. psql runs both statements of one -c in one transaction.
constexpr const char* rebuild_index = R"(psql -h localhost -U enzo -d aynux -c "
DROP INDEX IF EXISTS idx_products_embedding_hnsw;
CREATE INDEX idx_products_embedding_hnsw
ON products USING hnsw (embedding vector_cosine_ops);
")";
constexpr const char* analyze = R"(psql -h localhost -U enzo -d aynux -c "ANALYZE products;")";
constexpr const char* analyze_again = R"(psql -h localhost -U enzo -d aynux -c "
ANALYZE products;
")";
constexpr const char* sizes = R"(psql -h localhost -U enzo -d aynux -c "
SELECT
  pg_size_pretty(pg_total_relation_size('products')) as table_size,
  pg_size_pretty(pg_relation_size('idx_products_embedding_hnsw')) as index_size;
")";
constexpr const char* statistics = R"(psql -h localhost -U enzo -d aynux -c "
SELECT * FROM product_embedding_stats;
")";
constexpr const char* refresh = R"(psql -h localhost -U enzo -d aynux -c "
REFRESH MATERIALIZED VIEW CONCURRENTLY product_embedding_stats;
")";
constexpr const char* reindex = R"(psql -h localhost -U enzo -d aynux -c "
REINDEX INDEX CONCURRENTLY idx_products_embedding_hnsw;
")";
constexpr const char* complete_rollback = R"(psql -h localhost -U enzo -d aynux -c "
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
")";

TEST_F(Guide, EveryPsqlCallRunsAsPrinted) {
    make_catalog();
    EXPECT_THAT(printed(install_extension), HasSubstr("CREATE EXTENSION"));
    printed(run_script);
    printed(run_script);
    EXPECT_THAT(printed(verify_extension), AllOf(HasSubstr("vector"), HasSubstr("(1 row)")));
    printed(
        "psql -h localhost -U enzo -d aynux -q -c \"INSERT INTO categories (name, display_name) VALUES ('c', 'C'); "
        "INSERT "
        "INTO products (name, specs, price, stock, category_id, embedding, last_embedding_update) SELECT 'Product ' || "
        "i, "
        "'s', 1, 1, c.id, CASE WHEN i <= 12 THEN array_fill(i, ARRAY[768])::vector END, now() FROM categories c, "
        "generate_series(1, 15) i\"");
    EXPECT_THAT(printed(coverage), HasSubstr("             15 |              12 |                  3"));
    EXPECT_THAT(printed(missing), AllOf(HasSubstr("Product 13"), HasSubstr("(3 rows)")));
    EXPECT_THAT(printed(list_indexes), AllOf(HasSubstr("idx_products_embedding_hnsw"), HasSubstr("vector_cosine_ops")));
    EXPECT_THAT(printed(rebuild_index), HasSubstr("CREATE INDEX"));
    EXPECT_THAT(printed(analyze), HasSubstr("ANALYZE"));
    EXPECT_THAT(printed(sizes), AllOf(HasSubstr("table_size"), HasSubstr("kB")));
    EXPECT_THAT(printed(refresh), HasSubstr("REFRESH MATERIALIZED VIEW"));
    EXPECT_THAT(printed(statistics), HasSubstr("             15 |                       12 |                  3 |"));
    EXPECT_THAT(printed(reindex), HasSubstr("REINDEX"));
    EXPECT_THAT(printed(analyze_again), HasSubstr("ANALYZE"));
    EXPECT_THAT(printed(complete_rollback), HasSubstr("DROP EXTENSION"));
    EXPECT_THAT(printed("psql -h localhost -U enzo -d aynux -c \"UPDATE categories SET name = 'd'; UPDATE products SET "
                        "name = 'renamed'\""),
                HasSubstr("UPDATE 15"));
}

TEST_F(Guide, TheScriptAloneSaysWhatIsMissingWhereThereAreNoProducts) {
    const Outcome outcome = shell(std::string{run_script} + " -v ON_ERROR_STOP=1");
    EXPECT_EQ(outcome.exit_code, 3) << outcome.told();
    EXPECT_THAT(outcome.out, AllOf(HasSubstr("table products not found"), HasSubstr("decant schema up")));
}

}  // namespace
}  // namespace decant::test
