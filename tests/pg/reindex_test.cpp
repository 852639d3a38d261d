// The vector index is built anew beside the old one, and takes its place when it is proven.

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "operate/operation_lock.hpp"
#include "search/vector_search.hpp"
#include "store/embedding_indexes.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/schema_case.hpp"

namespace decant::test {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;

class Reindex : public testing::Test {
protected:
    boost::json::object reindexed(const std::vector<std::string>& more = {}, int exit_code = 0) const {
        std::vector<std::string> arguments{"reindex", "--json"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        const Outcome outcome = with_.decant().run(arguments);
        EXPECT_EQ(outcome.exit_code, exit_code) << outcome.told();
        return outcome.json().as_object();
    }
    std::string oid() const { return with_.value("SELECT 'idx_products_embedding_hnsw'::regclass::oid"); }
    /// Names of the vector indexes.
    std::string indexes() const {
        return with_.value(
            "SELECT coalesce(string_agg(c.relname || CASE WHEN i.indisvalid THEN '' ELSE ' (invalid)' END, ' ' ORDER "
            "BY c.relname), '') FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = "
            "c.relam WHERE i.indrelid = 'products'::regclass AND a.amname IN ('hnsw', 'ivfflat')");
    }
    search::VectorAnswer find(search::VectorSearcher& searcher) {
        std::vector<float> vector(SchemaCase::dimension, 0.1F);
        vector[7] = 2;
        return searcher.find({.vector = vector, .explains = true});
    }

    SchemaCase with_;
    pg::Connection db_ = with_.open();
};

TEST_F(Reindex, PutsAProvenIndexInTheOldOnesPlace) {
    with_.put_products(1'000);
    const std::string before = oid();
    const auto report = reindexed();
    EXPECT_NE(oid(), before);
    EXPECT_EQ(indexes(), "idx_products_embedding_hnsw");
    EXPECT_TRUE(report.at("swapped").as_bool());
    EXPECT_EQ(report.at("vectors"), 1'000);
    EXPECT_EQ(report.at("queries"), 100);
    EXPECT_GE(report.at("recall").to_number<double>(), 0.95);
    EXPECT_EQ(report.at("replaced").as_array(), boost::json::array{"idx_products_embedding_hnsw"});
    EXPECT_FALSE(report.at("resumed").as_bool());
    search::VectorSearcher searcher{db_};
    EXPECT_THAT(find(searcher).plan, HasSubstr("idx_products_embedding_hnsw"));
}

TEST_F(Reindex, OfHalfPrecisionServesEverySearchAlsoOfSearchersThatWereThere) {
    with_.put_products(1'000);
    search::VectorSearcher searcher{db_};
    const search::VectorAnswer before = find(searcher);
    const auto report = reindexed({"--halfvec"});
    EXPECT_THAT(std::string{report.at("definition").as_string()}, HasSubstr("halfvec_cosine_ops"));
    EXPECT_LT(report.at("bytes").to_number<std::int64_t>(), report.at("bytes_before").to_number<std::int64_t>());
    EXPECT_EQ(indexes(), "idx_products_embedding_hnsw");
    EXPECT_TRUE(eventually(5s, [&] {
        return find(searcher).plan.find("idx_products_embedding_hnsw") != std::string::npos;
    })) << "it asks for another expression than the index is on";
    const search::VectorAnswer after = find(searcher);
    ASSERT_EQ(after.hits.size(), before.hits.size());
    for (std::size_t i = 0; i < after.hits.size(); ++i)
        EXPECT_NEAR(after.hits[i].score, before.hits[i].score, 1e-3) << i;
    const std::string scans =
        "SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname = 'idx_products_embedding_hnsw'";
    const int counted = std::stoi(with_.value(scans));
    EXPECT_EQ(with_.value("SELECT count(*) FROM find_similar_products((SELECT embedding FROM products WHERE sku = "
                          "'sku-77'), 0, 10, require_stock => false)"),
              "10");
    EXPECT_TRUE(eventually(5s, [&] { return std::stoi(with_.value(scans)) > counted; }))
        << "find_similar_products does not use it";
    EXPECT_EQ(store::find_searched_index(db_).type, pg::VectorType::halfvec);
    reindexed();
    EXPECT_EQ(store::find_searched_index(db_).type, pg::VectorType::halfvec) << "it is built anew as it is";
    reindexed({"--type", "hnsw"});
    EXPECT_EQ(store::find_searched_index(db_).type, pg::VectorType::vector);
}

TEST_F(Reindex, OfIvfflatTakesTheHnswIndexesPlaceAndBack) {
    with_.put_products(2'000);
    reindexed({"--type", "ivfflat"});
    EXPECT_EQ(indexes(), "idx_products_embedding_ivfflat");
    EXPECT_EQ(store::find_searched_index(db_).lists, 2U);
    search::VectorSearcher searcher{db_};
    const search::VectorAnswer answer = find(searcher);
    EXPECT_EQ(answer.hits.size(), 10U);
    EXPECT_THAT(answer.plan, HasSubstr("idx_products_embedding_ivfflat"));
    EXPECT_EQ(with_.value("SELECT count(*) FROM find_similar_products((SELECT embedding FROM products WHERE sku = "
                          "'sku-77'), 0, 10)"),
              "10");
    EXPECT_EQ(with_.decant().run({"schema", "status"}).exit_code, 0);
    reindexed();
    EXPECT_EQ(indexes(), "idx_products_embedding_ivfflat") << "it is built anew as it is";
    reindexed({"--type", "hnsw"});
    EXPECT_EQ(indexes(), "idx_products_embedding_hnsw");
}

TEST_F(Reindex, KeepsTheOldIndexWhereTheNewOneFindsTooLittle) {
    // Vectors without any order, of which an IVFFlat index misses some whatever it does.
    with_.put_products(1);
    with_.exec(
        "ALTER TABLE products DISABLE TRIGGER USER; DROP INDEX idx_products_embedding_hnsw; SELECT setseed(0.5);"
        "INSERT INTO products (name, specs, price, stock, category_id, embedding) SELECT 'P ' || i, '', 1, 1, c.id, "
        "(SELECT "
        "array_agg(random() - 0.5) FROM generate_series(1, 32) WHERE i > 0)::vector FROM generate_series(1, 8000) i, "
        "(SELECT id FROM categories LIMIT 1) c");
    with_.exec("CREATE INDEX idx_products_embedding_hnsw ON products USING hnsw (embedding vector_cosine_ops)");
    const std::string before = oid();
    const auto report = reindexed({"--type", "ivfflat", "--recall", "1"}, 1);
    EXPECT_FALSE(report.at("swapped").as_bool());
    EXPECT_TRUE(report.at("used_by_the_planner").as_bool());
    EXPECT_LT(report.at("recall").to_number<double>(), 1);
    EXPECT_EQ(indexes(), "idx_products_embedding_hnsw");
    EXPECT_EQ(oid(), before);
}

TEST_F(Reindex, KeepsTheOldIndexWhereThePlannerWouldNotTakeTheNewOne) {
    with_.put_products(200);
    with_.exec(fmt::format("ALTER DATABASE {} SET enable_indexscan = off", database_of(with_.decant().conninfo())));
    const std::string before = oid();
    EXPECT_FALSE(reindexed({}, 1).at("used_by_the_planner").as_bool());
    EXPECT_EQ(oid(), before);
    EXPECT_EQ(indexes(), "idx_products_embedding_hnsw");
}

TEST_F(Reindex, DropsWhatInterruptedBuildsLeft) {
    with_.put_products(200);
    with_.exec(
        "CREATE INDEX idx_products_embedding_hnsw_new ON products USING hnsw (embedding vector_cosine_ops);"
        "CREATE INDEX idx_products_embedding_hnsw_ccnew ON products USING hnsw (embedding vector_cosine_ops);"
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid IN ('idx_products_embedding_hnsw_new'::regclass, "
        "'idx_products_embedding_hnsw_ccnew'::regclass)");
    const auto report = reindexed();
    EXPECT_EQ(report.at("leftovers_dropped").as_array().size(), 2U);
    EXPECT_EQ(indexes(), "idx_products_embedding_hnsw");
}

TEST_F(Reindex, GoesOnWithAnIndexThatWasBuiltAndNotYetProven) {
    with_.put_products(200);
    with_.exec(
        "CREATE INDEX idx_products_embedding_hnsw_new ON products USING hnsw (embedding vector_cosine_ops);"
        "CREATE INDEX idx_products_embedding_ivfflat_new ON products USING ivfflat (embedding vector_cosine_ops)");
    const std::string built = with_.value("SELECT 'idx_products_embedding_hnsw_new'::regclass::oid");
    const auto report = reindexed();
    EXPECT_TRUE(report.at("resumed").as_bool());
    EXPECT_EQ(oid(), built);
    EXPECT_EQ(indexes(), "idx_products_embedding_hnsw") << "one of another kind is none to go on with";
}

TEST_F(Reindex, IsMeasuredSoThatNothingOfTheOldIndexIsHeldAgainstTheNewOne) {
    with_.put_products(200);
    with_.exec(
        "INSERT INTO decant.quality_probes (recall, queries, products, coverage, stale, milliseconds) VALUES (0.5, 50, "
        "200, 1, 0, 1)");
    reindexed();
    EXPECT_EQ(with_.value("SELECT recall >= 0.95 FROM decant.quality_probes ORDER BY measured_at DESC LIMIT 1"), "t");
}

TEST_F(Reindex, WaitsForATransactionThatReadsTheTable) {
    with_.put_products(200);
    with_.exec("CREATE INDEX idx_products_embedding_hnsw_new ON products USING hnsw (embedding vector_cosine_ops)");
    std::optional<pg::Transaction> reader;
    reader.emplace(db_);
    db_.exec("SELECT count(*) FROM products");
    RunningDecant running = with_.decant().start({"reindex"});
    EXPECT_TRUE(eventually(20s, [&] { return running.err().find("trying again") != std::string::npos; }));
    reader.reset();
    const Outcome outcome = running.wait();
    EXPECT_EQ(outcome.exit_code, 0) << outcome.told();
    EXPECT_EQ(indexes(), "idx_products_embedding_hnsw");
}

TEST_F(Reindex, IsOneAtATime) {
    const operate::OperationLock lock{with_.decant().conninfo(), "maintain"};
    const Outcome outcome = with_.decant().run({"reindex"});
    EXPECT_EQ(outcome.exit_code, 75);
    EXPECT_THAT(outcome.err, AllOf(HasSubstr("`decant maintain`, begun "), HasSubstr("reindex may not run beside it")));
}

TEST_F(Reindex, IsNoFaultToWhoReadsTheIndexesWhileTheOldOneGoes) {
    pg::Transaction reader{db_, "BEGIN ISOLATION LEVEL REPEATABLE READ"};
    db_.exec("SELECT 1");
    with_.exec("DROP INDEX idx_products_embedding_hnsw");
    EXPECT_THAT(store::read_embedding_storage(db_).indexes, testing::IsEmpty());
}

TEST_F(Reindex, OfACatalogWithoutVectorsMakesAnEmptyIndex) {
    EXPECT_EQ(reindexed().at("queries"), 0);
    EXPECT_EQ(indexes(), "idx_products_embedding_hnsw");
}

}  // namespace
}  // namespace decant::test
