#include "core/error.hpp"
#include "tests/pg/doctor_case.hpp"

namespace decant::test {
namespace {

using std::chrono::hours;
using std::chrono::system_clock;

constexpr auto failure = operate::CheckState::failure;
constexpr auto warning = operate::CheckState::warning;
constexpr auto mends = Break::Mending::offered_and_done;

std::function<void(DoctorCase&)> sql(const std::string& text) {
    return [text](DoctorCase& with) { with.exec(text); };
}

/// As a build leaves it that fails: all products have the same price.
void leave_invalid_index(DoctorCase& with) {
    EXPECT_THROW(with.exec("CREATE UNIQUE INDEX CONCURRENTLY idx_left ON products (price)"), Error);
}

/// A row of three dimensions, past the column's own check.
void put_other_dimension(DoctorCase& with) {
    const std::string modifier =
        "UPDATE pg_attribute SET atttypmod = {} WHERE attrelid = 'products'::regclass AND attname = 'embedding'";
    with.exec("DROP INDEX idx_products_embedding_hnsw");
    with.exec(fmt::format(fmt::runtime(modifier), -1));
    with.exec("UPDATE products SET embedding = '[1,2,3]' WHERE sku = 'sku-7'");
    with.exec(fmt::format(fmt::runtime(modifier), 8));
}

/// pgvector refuses NaN, so its bytes are put into the row: 8 dimensions, two bytes of padding, 8 floats.
void put_nan(DoctorCase& with) {
    with.exec(
        "DROP INDEX idx_products_embedding_hnsw; CREATE CAST (bytea AS vector) WITHOUT FUNCTION;"
        "UPDATE products SET embedding = decode('08000000' || repeat('0000c07f', 8), 'hex')::vector WHERE sku = "
        "'sku-7'");
}

void change_much(DoctorCase& with) {
    pg::Connection db = with.open();
    db.exec("ALTER TABLE products SET (autovacuum_enabled = false)");
    db.exec("UPDATE products SET price = price + 1, stock = stock + 1");
    db.exec("SELECT pg_stat_force_next_flush()");
}

void let_statistics_grow_old(DoctorCase& with) {
    pg::Connection db = with.open();
    db.exec("ALTER TABLE products SET (autovacuum_enabled = false)");
    db.exec("ANALYZE products");
    db.exec("UPDATE products SET price = price + 1 WHERE sku = 'sku-7'");
    db.exec("SELECT pg_stat_force_next_flush()");
    with.now = [] { return system_clock::now() + hours{24 * 40}; };
}

void leave_dead_rows(DoctorCase& with) {
    pg::Connection db = with.open();
    db.exec("ALTER TABLE products SET (autovacuum_enabled = false)");
    db.exec("DO $$ BEGIN FOR i IN 1..30 LOOP UPDATE products SET price = price + 1; END LOOP; END $$");
    db.exec("SELECT pg_stat_force_next_flush()");
}

}  // namespace

std::vector<Break> schema_breaks() {
    return {
        {"schema.catalog", sql("DROP TABLE subcategories CASCADE"), failure, "Missing: table subcategories",
         "decant schema up", mends},
        {"schema.catalog", sql("DROP TABLE products CASCADE"), failure, "There is no table products in database",
         "decant schema up", mends},
        {"schema.migrations",
         sql("DROP TABLE decant.experiments CASCADE; DELETE FROM decant.schema_migrations WHERE version = 10"), failure,
         "Not applied: 010_experiments (pending)", "decant schema up", mends},
        {"schema.migrations",
         sql("INSERT INTO decant.schema_migrations (version, name, checksum) VALUES (999, '999_of_tomorrow', '')"),
         failure, "Migration 999_of_tomorrow is applied", "A newer decant made it"},
        {"schema.columns", sql("ALTER TABLE products DROP COLUMN embedding CASCADE"), failure,
         "products.embedding column not found", "-f migrations/001_add_pgvector_support.sql", mends},
        {"schema.columns", sql("ALTER TABLE products DROP COLUMN embedding_hash"), failure,
         "Missing: column embedding_hash", "decant schema up", mends},
        {"schema.functions", sql("DROP FUNCTION product_similarity(uuid, uuid)"), failure,
         "Missing: function product_similarity", "decant schema up", mends},
        {"schema.functions",
         sql("CREATE OR REPLACE FUNCTION product_similarity(product1_id uuid, product2_id uuid) RETURNS float8 "
             "LANGUAGE sql AS 'SELECT 0.5::float8'"),
         failure, "Not as the migrations make them: product_similarity", "decant doctor --fix", mends},
        {"schema.triggers", sql("DROP TRIGGER decant_enqueue_new ON products"), failure,
         "Missing: trigger decant_enqueue_new", "decant schema up", mends},
        {"schema.triggers", sql("ALTER TABLE products DISABLE TRIGGER trigger_update_embedding_version"), failure,
         "Disabled: trigger_update_embedding_version on products", "ENABLE TRIGGER", mends},
        {"schema.view", sql("DROP MATERIALIZED VIEW product_embedding_stats"), failure,
         "Missing: table product_embedding_stats", "decant schema up", mends},
        {"schema.view_age", sql("UPDATE products SET active = false WHERE sku = 'sku-7'"), warning,
         "says 60 of 60 products, there are 59 of 59", "REFRESH MATERIALIZED VIEW CONCURRENTLY product_embedding_stats",
         mends},
        {"schema.tables", sql("DROP TABLE decant.feedback CASCADE"), failure, "Missing: table decant.feedback",
         "decant schema up", mends},
        {"schema.indexes", sql("DROP INDEX idx_products_stale_embeddings"), failure,
         "Missing: index idx_products_stale_embeddings", "decant schema up", mends},
        {"schema.words", sql("DELETE FROM decant.product_words WHERE product_id IN (SELECT id FROM products LIMIT 5)"),
         warning, "5 products have no row in decant.product_words", "decant doctor --fix", mends},
    };
}

std::vector<Break> index_breaks() {
    const std::string drop = "DROP INDEX idx_products_embedding_hnsw;";
    return {
        {"index.present", sql(drop), failure, "No HNSW index on products.embedding",
         "CREATE INDEX CONCURRENTLY idx_products_embedding_hnsw ON products USING hnsw (embedding vector_cosine_ops);",
         mends},
        {"index.valid",
         sql("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'idx_products_embedding_hnsw'::regclass"),
         failure, "idx_products_embedding_hnsw is not valid", "REINDEX INDEX CONCURRENTLY", mends},
        {"index.operator_class",
         sql(drop + "CREATE INDEX idx_products_embedding_hnsw ON products USING hnsw (embedding vector_l2_ops)"),
         failure, "has the operator class vector_l2_ops", "decant reindex", mends},
        {"index.valid",
         sql("CREATE INDEX a_mine ON products USING hnsw (embedding vector_l2_ops);"
             "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'idx_products_embedding_hnsw'::regclass"),
         failure, "idx_products_embedding_hnsw is not valid", "REINDEX INDEX CONCURRENTLY", mends},
        {"index.leftovers", leave_invalid_index, warning, "idx_left", "DROP INDEX idx_left;", mends},
        {"index.plan",
         sql(drop + "CREATE INDEX idx_products_embedding_hnsw ON products USING hnsw (embedding vector_cosine_ops) "
                    "WHERE featured"),
         failure, "A search does not use idx_products_embedding_hnsw", "decant search --explain", mends},
        {"index.recall",
         sql("INSERT INTO decant.quality_probes (recall, queries, products, coverage, stale, milliseconds) "
             "VALUES (0.5, 50, 60, 1, 0, 1)"),
         warning, "found 50.0 % of the nearest rows", "decant reindex", mends},
        {"upkeep.autovacuum", sql("ALTER TABLE products SET (autovacuum_enabled = false)"), failure,
         "autovacuum is off for products", "RESET (autovacuum_enabled)", mends},
        {"upkeep.dead_rows", leave_dead_rows, warning, "dead rows beside 60 living ones", "VACUUM (ANALYZE) products;",
         mends},
        {"upkeep.statistics", sql("DELETE FROM pg_statistic WHERE starelid = 'products'::regclass"), warning,
         "The planner has no statistics of products", "ANALYZE products;", mends},
        {"upkeep.statistics", change_much, warning, "60 rows changed since", "ANALYZE products;", mends},
        {"upkeep.statistics", let_statistics_grow_old, warning, "are 40 days old, and 1 rows changed since",
         "ANALYZE products;", mends},
    };
}

std::vector<Break> vectors_breaks() {
    return {
        {"vectors.dimension", [](DoctorCase& with) { with.ollama.put({.name = "small", .dimension = 16}); }, failure,
         "Embedding dimension mismatch: model 'small' (ollama) gives 16-d vectors", "ollama pull small"},
        {"vectors.row_dimension", put_other_dimension, failure, "1 products have vectors of another dimension than 8",
         "then: decant embed", mends},
        {"vectors.finite", put_nan, failure, "1 products have vectors with NaN or infinity", "then: decant embed",
         mends},
        {"vectors.zero",
         sql("UPDATE products SET embedding = array_fill(0::real, ARRAY[8])::vector WHERE sku = 'sku-7'"), failure,
         "1 products have zero vectors", "then: decant embed", mends},
        {"vectors.models", sql("UPDATE products SET embedding_model = 'other' WHERE sku LIKE 'sku-1%'"), failure,
         "11 of other; questions are embedded by small", "decant embed --stale", mends},
        {"vectors.stale", sql("UPDATE products SET last_embedding_update = NULL WHERE sku LIKE 'sku-1%'"), warning,
         "11 of 60 vectors are stale", "decant embed --stale", mends},
        {"vectors.coverage", sql("UPDATE products SET embedding = NULL WHERE sku LIKE 'sku-1%'"), warning,
         "49 of 60 active products have a vector", "decant embed", mends},
        {"vectors.coverage", sql("UPDATE products SET embedding = NULL"), failure,
         "Products missing embeddings: 0 of 60", "decant embed", mends},
        {"queue.waiting",
         sql("INSERT INTO decant.embedding_jobs (product_id, created_at) SELECT id, now() - interval '2 hours' "
             "FROM products LIMIT 3"),
         warning, "3 products wait to be embedded, the first one for 120 minutes", "decant worker --once", mends},
        {"queue.dead",
         sql("INSERT INTO decant.embedding_dead_letters (product_id, attempts, error) SELECT id, 5, 'too long' "
             "FROM products LIMIT 2"),
         warning, "2 products could not be embedded", "decant jobs retry", mends},
    };
}

}  // namespace decant::test
