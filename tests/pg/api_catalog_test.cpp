// GET /api/v1/pgvector/catalog: what the page tells of embeddings, indexes, migrations and jobs.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "migrate/run_store.hpp"
#include "store/embedding_indexes.hpp"
#include "store/migration_history.hpp"
#include "tests/support/api_case.hpp"
#include "tests/support/eventually.hpp"

namespace decant::api {
namespace {

using namespace std::chrono_literals;
using test::body_of;

const std::string catalog_path = "/api/v1/pgvector/catalog";
const std::string batch_path = "/api/v1/pgvector/embeddings/batch";

class ApiCatalog : public testing::Test {
protected:
    json::object read() const { return body_of(with_.get(catalog_path)); }
    /// Once the products were counted, after whatever was done to them so far.
    json::object counted() const {
        json::object answer;
        // Up to then it is not known which embeddings are of another model.
        EXPECT_TRUE(test::eventually(30s, [&] { return read().at("embedding_model") == "small"; }));
        const std::string now = with_.catalog().value(
            "SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS')");
        EXPECT_TRUE(test::eventually(30s, [&] {
            answer = read();
            return !answer.at("embeddings").is_null() &&
                   std::string_view{answer.at("embeddings").at("counted_at").as_string()} > now;
        })) << json_text(answer);
        return answer;
    }
    /// A migration that has ended with this report.
    std::int64_t put_run(const std::string& command, const std::string& report) const {
        pg::Connection db = with_.catalog().open();
        migrate::RunStore runs{db};
        runs.prepare();
        const std::int64_t id = runs.create({.command = command,
                                             .schema = "public",
                                             .table = "products",
                                             .load_table = "products",
                                             .source_path = "/data/vector_db",
                                             .collection = "products_all_products"});
        runs.set_counts(id, {.read = 12, .updated = 10, .unchanged = 1, .rejected = 1});
        runs.finish(id, {.state = "done", .report = report});
        return id;
    }

    test::ApiCase with_{{{"DECANT_RATE_MONITORING", "0"}, {"DECANT_RATE_BATCH", "0"}}};
};

TEST_F(ApiCatalog, TellsOfEmbeddingsByModel) {
    with_.catalog().exec("UPDATE products SET embedding_model = 'older' WHERE sku IN ('p-1', 'p-2', 'p-3')");
    const json::object answer = counted();
    EXPECT_EQ(answer.at("embedding_model"), "small");
    const json::object& embeddings = answer.at("embeddings").as_object();
    EXPECT_EQ(embeddings.at("total_products"), json::value(12));
    EXPECT_EQ(embeddings.at("products_without_embeddings"), json::value(1));
    EXPECT_EQ(embeddings.at("stale_embeddings_count"), json::value(3)) << "of another model than the one in use";
    const json::array& models = embeddings.at("by_model").as_array();
    ASSERT_EQ(models.size(), 2U);
    EXPECT_EQ(models[0].at("embedding_model"), "small");
    EXPECT_EQ(models[0].at("products"), json::value(8));
    EXPECT_EQ(models[0].at("embedding_dimensions"), json::value(8));
    EXPECT_EQ(models[1].at("embedding_model"), "older");
    EXPECT_EQ(models[1].at("products"), json::value(3));
    EXPECT_EQ(answer.at("queue").at("ready"), json::value(0));
}

TEST_F(ApiCatalog, TellsOfTheIndexOnTheVectorsAndWhetherItIsUsed) {
    const json::value before = read().at("storage");
    EXPECT_GT(before.at("table_bytes").to_number<int>(), 0);
    ASSERT_EQ(before.at("indexes").as_array().size(), 1U);
    const json::value& index = before.at("indexes").at(0);
    EXPECT_EQ(index.at("name"), "idx_products_embedding_hnsw");
    EXPECT_EQ(index.at("method"), "hnsw");
    EXPECT_EQ(index.at("operator_class"), "vector_cosine_ops");
    EXPECT_GT(index.at("bytes").to_number<int>(), 0);
    EXPECT_EQ(index.at("valid"), json::value(true));
    with_.catalog().exec(
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'idx_products_embedding_hnsw'::regclass");
    EXPECT_EQ(read().at("storage").at("indexes").at(0).at("valid"), json::value(false));
}

TEST_F(ApiCatalog, TellsHowFarAnIndexIsThatIsBeingBuilt) {
    EXPECT_TRUE(read().at("storage").at("builds").as_array().empty());
    pg::Connection writer = with_.catalog().open();
    writer.exec("BEGIN; LOCK TABLE products IN ROW EXCLUSIVE MODE");
    std::jthread builder{[&] {
        with_.catalog().exec("CREATE INDEX CONCURRENTLY idx_slow ON products USING hnsw (embedding vector_l2_ops)");
    }};
    json::value storage;
    EXPECT_TRUE(test::eventually(20s, [&] {
        storage = read().at("storage");
        return !storage.at("builds").as_array().empty() && storage.at("indexes").as_array().size() == 2;
    })) << storage;
    writer.exec("COMMIT");
    builder.join();
    EXPECT_EQ(storage.at("builds").at(0).at("index"), "idx_slow");
    EXPECT_EQ(storage.at("builds").at(0).at("phase"), "waiting for writers before build");
    EXPECT_EQ(storage.at("indexes").as_array().size(), 2U);
    EXPECT_EQ(storage.at("indexes").at(1).at("valid"), json::value(false));
    EXPECT_EQ(read().at("storage").at("indexes").at(1).at("valid"), json::value(true));
}

TEST_F(ApiCatalog, TellsOfMigrationsAndWhatTheirVerificationFound) {
    EXPECT_TRUE(read().at("migrations").as_array().empty()) << "nothing was ever migrated";
    put_run("into", "{}");
    put_run("migrate", R"({"verified": true, "compared": 11, "differences": 0, "recall": {"recall": 0.99}})");
    put_run("copy", R"({"verification": {"equal": true, "rows": 12, "difference_count": 0}, "recall": null})");
    const json::array runs = read().at("migrations").as_array();
    ASSERT_EQ(runs.size(), 3U);
    EXPECT_EQ(runs[0].at("command"), "copy");
    EXPECT_EQ(runs[0].at("verification"), (json::value{{"equal", true}, {"compared", 12}, {"differences", 0}}));
    EXPECT_EQ(runs[1].at("verification"), (json::value{{"equal", true}, {"compared", 11}, {"differences", 0}}));
    EXPECT_EQ(runs[1].at("recall"), json::value(0.99));
    EXPECT_TRUE(runs[2].at("verification").is_null());
    EXPECT_EQ(runs[2].at("table"), "public.products");
    EXPECT_EQ(runs[2].at("written"), json::value(10));
    EXPECT_EQ(runs[2].at("rejected"), json::value(1));
}

TEST_F(ApiCatalog, TellsOfTheNewestSyncs) {
    EXPECT_TRUE(read().at("syncs").as_array().empty());
    with_.catalog().exec(
        "INSERT INTO decant.sync_runs (source, origin, scope, state, token, ended_at, cursor, report) VALUES "
        "('dux', 'https://erp.example', 'full', 'complete', '', now(), '{}', '{\"read\": 7, \"quarantined\": 2}'), "
        "('dux', 'https://erp.example', 'full', 'running', '', NULL, '{\"read\": 3}', '{}')");
    const json::array syncs = read().at("syncs").as_array();
    ASSERT_EQ(syncs.size(), 2U);
    EXPECT_EQ(syncs[0].at("state"), "interrupted") << "no sync holds the lock";
    EXPECT_EQ(syncs[0].at("read"), json::value(3));
    EXPECT_TRUE(syncs[0].at("ended_at").is_null());
    EXPECT_EQ(syncs[1].at("read"), json::value(7));
    EXPECT_EQ(syncs[1].at("quarantined"), json::value(2));
    with_.catalog().exec("DROP TABLE decant.sync_runs CASCADE");
    EXPECT_TRUE(read().at("syncs").as_array().empty()) << "the schema of an older program";
}

TEST_F(ApiCatalog, PrefersTheLaterVerificationOfAMigration) {
    const std::int64_t id = put_run("copy", R"({"verification": {"equal": true, "rows": 12, "difference_count": 0}})");
    pg::Connection db = with_.catalog().open();
    migrate::RunStore{db}.save_verification(id, R"({"equal": false, "rows": 12, "difference_count": 3})");
    EXPECT_EQ(read().at("migrations").at(0).at("verification"),
              (json::value{{"equal", false}, {"compared", 12}, {"differences", 3}}));
}

TEST_F(ApiCatalog, TellsOfTheNewestBatchesWithoutCountingTheQueue) {
    for (int i = 0; i < 11; ++i)
        EXPECT_EQ(with_.post(batch_path, "{}").status, 202);
    const json::array batches = read().at("batches").as_array();
    ASSERT_EQ(batches.size(), 10U);
    EXPECT_EQ(batches[0].at("job_id"), "11");
    EXPECT_EQ(batches[0].at("status"), "pending");
    EXPECT_EQ(batches[0].at("progress"), (json::value{{"current", 0}, {"total", 12}, {"percentage", 0}}));
    EXPECT_TRUE(batches[0].at("finished_at").is_null());
    with_.catalog().exec(
        "UPDATE decant.embedding_batches SET started_at = now(), updated = 5, errors = 1 WHERE id = 11");
    EXPECT_EQ(read().at("batches").at(0).at("status"), "running");
    EXPECT_EQ(read().at("batches").at(0).at("progress").at("current"), json::value(6));
    with_.catalog().empty_queue();
    EXPECT_EQ(read().at("batches").at(0).at("status"), "completed") << "nothing of it waits any more";
}

TEST_F(ApiCatalog, TellsOfProductsThatWereGivenUpTheNewestFirst) {
    with_.catalog().exec(
        "INSERT INTO decant.embedding_dead_letters SELECT id, 5, 'poison', now() - interval '1 day' FROM products "
        "WHERE sku = 'p-3';"
        "INSERT INTO decant.embedding_dead_letters VALUES (gen_random_uuid(), 2, 'gone', '2099-01-02 03:04:05+00')");
    const json::array letters = read().at("dead_letters").as_array();
    ASSERT_EQ(letters.size(), 2U);
    EXPECT_EQ(letters[0].at("name"), "") << "no product of the catalog";
    EXPECT_EQ(letters[0].at("failed_at"), "2099-01-02T03:04:05Z");
    EXPECT_EQ(letters[1].at("name"), "Producto 3");
    EXPECT_EQ(letters[1].at("reason"), "poison");
    EXPECT_EQ(letters[1].at("attempts"), json::value(5));
}

TEST_F(ApiCatalog, IsNotFoundWhereThereIsNone) {
    with_.catalog().exec("DROP TABLE products CASCADE");
    const net::HttpResponse response = with_.get(catalog_path);
    EXPECT_EQ(response.status, 404);
    EXPECT_THAT(response.body, testing::HasSubstr("decant schema up"));
}

TEST_F(ApiCatalog, PassesOverNoTableOfTheCatalog) {
    put_run("migrate", R"({"verified": true, "compared": 11, "differences": 0})");
    with_.catalog().put(100, 5000);
    with_.catalog().exec(
        "INSERT INTO decant.embedding_dead_letters SELECT id, 5, 'poison' FROM products LIMIT 500;"
        "INSERT INTO decant.embedding_batches (total) VALUES (5000), (3); "
        "UPDATE decant.embedding_jobs SET batch_id = 1; ANALYZE");
    pg::Connection db = with_.catalog().open();
    const pg::Transaction tx{db};
    store::read_embedding_storage(db);
    store::read_migration_history(db, 10);
    store::JobQueue queue{db};
    queue.recent_batches(10);
    queue.dead_letters(10);
    EXPECT_EQ(db.exec("SELECT sum(seq_scan) FROM pg_stat_xact_user_tables WHERE relname IN ('products', "
                      "'embedding_jobs')")
                  .integer(0, 0),
              0);
}

TEST(ApiQuestions, ThatFoundNothingAreToldWhereTheyAreKept) {
    for (const bool keeps : {true, false}) {
        test::ApiCase with{{{"DECANT_KEEP_QUESTIONS", keeps ? "true" : "false"}, {"DECANT_RATE_MONITORING", "0"}}};
        for (const char* question : {"zzzz", "zzzz", "wwww", "producto 1"})
            with.post("/api/v1/pgvector/search", fmt::format(R"({{"query": "{}", "strategy": "keyword"}})", question));
        json::value answer;
        EXPECT_TRUE(test::eventually(10s, [&] {
            answer = body_of(with.get("/api/v1/pgvector/metrics?time_range=1h&series=true"));
            return answer.at("search_metrics").at("total_searches") == json::value(4);
        }));
        const json::value& series = answer.at("series");
        EXPECT_EQ(series.at("keeps_questions"), json::value(keeps));
        std::string told;
        for (const json::value& one : series.at("without_results").as_array())
            told += fmt::format("{} {}; ", one.at("question").as_string().c_str(), one.at("searches").to_number<int>());
        EXPECT_EQ(told, keeps ? "zzzz 2; wwww 1; " : "");
    }
}

}  // namespace
}  // namespace decant::api
