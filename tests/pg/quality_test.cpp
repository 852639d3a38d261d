#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "core/error.hpp"
#include "quality/index_recall.hpp"
#include "quality/query_vectors.hpp"
#include "tests/support/embedding_case.hpp"
#include "tests/support/schema_case.hpp"
#include "tests/support/small_embedder.hpp"

namespace decant::quality {
namespace {

const auto go_on = [](std::size_t, std::size_t) { return true; };

IndexRecall measure_of(pg::Connection& db, const std::vector<double>& selectivities) {
    return measure_index_recall(db, {.selectivities = selectivities, .queries = 40}, go_on);
}

/// 3,000 products of prices 1 to 3,000, all with a vector, for all tests, which only read.
class IndexRecallTest : public testing::Test {
protected:
    static void SetUpTestSuite() {
        with_ = new test::SchemaCase;
        with_->put_products(3'000);
    }
    static void TearDownTestSuite() { delete with_; }

    static inline test::SchemaCase* with_ = nullptr;
    pg::Connection db_ = with_->open();
};

/// 600 products of a test's own.
class ChangedIndexRecall : public testing::Test {
protected:
    ChangedIndexRecall() { with_.put_products(600); }

    test::SchemaCase with_;
    pg::Connection db_ = with_.open();
};

TEST_F(IndexRecallTest, PassesTheShareThatWasAskedForAndGetsEveryRow) {
    const IndexRecall measured = measure_of(db_, {1, 0.5, 0.1, 0.01, 0.001});
    EXPECT_EQ(measured.products, 3'000U);
    EXPECT_EQ(measured.queries, 40U);
    ASSERT_EQ(measured.filtered.size(), 5U);
    for (const FilteredRecall& one : measured.filtered) {
        EXPECT_NEAR(one.passing, one.selectivity, 1e-9) << one.selectivity;
        EXPECT_EQ(one.rows, one.rows_wanted) << one.selectivity;
        EXPECT_EQ(one.rows_wanted, one.selectivity == 0.001 ? 40U * 3 : 40U * 10) << one.selectivity;
        EXPECT_GE(one.recall, 0.9) << one.selectivity;
        EXPECT_LE(one.recall, 1) << one.selectivity;
        EXPECT_LE(one.search.p50, one.search.p95);
        EXPECT_GT(one.exact.p50, 0);
    }
    EXPECT_EQ(measured.filtered.front().by_index, 40U);
    EXPECT_EQ(measured.filtered.back().by_index, 0U);
}

TEST_F(ChangedIndexRecall, TellsWhatAPoorIndexMisses) {
    with_.exec(
        "DROP INDEX idx_products_embedding_hnsw;"
        "CREATE INDEX idx_products_embedding_hnsw ON products USING hnsw (embedding vector_cosine_ops) "
        "WITH (m = 2, ef_construction = 4)");
    const FilteredRecall measured = measure_of(db_, {1}).filtered.front();
    EXPECT_EQ(measured.by_index, 40U);
    EXPECT_LT(measured.recall, 0.9);
}

TEST_F(ChangedIndexRecall, PassesMoreWhereProductsHaveOnePrice) {
    with_.exec("UPDATE products SET price = ceil(price / 60) * 60; ANALYZE products");
    const FilteredRecall measured = measure_of(db_, {0.01}).filtered.front();
    EXPECT_GE(measured.passing, 0.1 - 1e-9);
    EXPECT_LE(measured.passing, 0.2 + 1e-9);
    EXPECT_EQ(measured.rows, measured.rows_wanted);
}

TEST_F(IndexRecallTest, IsTheSameWhenMeasuredAgain) {
    const FilteredRecall one = measure_of(db_, {0.3}).filtered.front();
    const FilteredRecall two = measure_of(db_, {0.3}).filtered.front();
    EXPECT_EQ(one.passing, two.passing);
    EXPECT_EQ(one.recall, two.recall);
}

TEST_F(ChangedIndexRecall, LeavesInactiveProductsAndThoseWithoutVectorAside) {
    with_.exec("UPDATE products SET active = false WHERE price <= 200");
    with_.exec("UPDATE products SET embedding = NULL WHERE price > 580; ANALYZE products");
    const IndexRecall measured = measure_of(db_, {1, 0.5});
    EXPECT_EQ(measured.products, 380U);
    EXPECT_NEAR(measured.filtered.back().passing, 0.5, 1e-9);
    EXPECT_EQ(measured.filtered.back().rows, measured.filtered.back().rows_wanted);
}

TEST_F(ChangedIndexRecall, NeedsAProductWithAVector) {
    with_.exec("UPDATE products SET embedding = NULL");
    try {
        measure_of(db_, {1});
        FAIL() << "measured";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::not_found);
    }
}

TEST_F(IndexRecallTest, StopsWhenItIsTold) {
    std::size_t seen = 0;
    const auto stop = [&](std::size_t done, std::size_t total) {
        EXPECT_EQ(total, 80U);
        return (seen = done) < 5;
    };
    EXPECT_THROW(measure_index_recall(db_, {.selectivities = {1, 0.5}, .queries = 40}, stop), Error);
    EXPECT_EQ(seen, 5U);
}

class JudgedProducts : public testing::Test {
protected:
    JudgedProducts() { with_.put(1, 3); }

    test::EmbeddingCase with_;
    pg::Connection db_ = with_.open();
};

TEST_F(JudgedProducts, AreFoundBySkuAndByIdAndAreElseNotThere) {
    with_.exec("UPDATE products SET active = false WHERE sku = 'p-2'");
    const std::string id = with_.id_of("p-3");
    std::string shouted = id;
    std::ranges::transform(shouted, shouted.begin(), [](char c) { return c >= 'a' ? static_cast<char>(c - 32) : c; });
    const Products found =
        find_products(db_, read_qrels("q1 0 p-1 3\nq1 0 p-2 1\nq1 0 " + shouted + " 2\nq1 0 p-9 3\nq2 0 p-1 1"));
    ASSERT_EQ(found.size(), 3U);
    EXPECT_EQ(found.at("p-1").id, with_.id_of("p-1"));
    EXPECT_EQ(found.at("p-1").name, "Producto 1");
    EXPECT_FALSE(found.at("p-2").is_active);
    EXPECT_EQ(found.at(shouted).id, id);
    EXPECT_TRUE(find_products(db_, {}).empty());
}

TEST_F(JudgedProducts, AreKnownAgainAmongWhatAQueryFinds) {
    test::SmallEmbedder embedder;
    JudgedSet set =
        join(read_queries("{\"id\": \"q1\", \"text\": \"uno\"}\n{\"id\": \"q2\", \"text\": \"dos\"}"),
             read_qrels("q1 0 p-1 3\nq1 0 p-2 0"), find_products(db_, read_qrels("q1 0 p-1 3\nq1 0 p-2 0")));
    const QueryVectors vectors = embed_queries(embedder, set);
    ASSERT_EQ(vectors.vectors.size(), 2U);
    EXPECT_EQ(vectors.vectors[0], test::SmallEmbedder::vector_of("query: uno").values);
    const auto store = [&](const std::string& sku, float factor) {
        std::string literal;
        for (const float value : vectors.vectors[0])
            literal += (literal.empty() ? "" : ",") + std::to_string(factor * value);
        with_.exec("UPDATE products SET embedding = '[" + literal + "]' WHERE sku = '" + sku + "'");
    };
    store("p-1", 1);
    store("p-2", -1);
    const auto scored = score_queries(db_, set, vectors, {});
    ASSERT_EQ(scored[0].hits.size(), 2U);
    EXPECT_NEAR(scored[0].hits[0].similarity, 1, 1e-5);
    EXPECT_TRUE(scored[0].hits[0].is_relevant);
    EXPECT_NEAR(scored[0].hits[1].similarity, -1, 1e-5);
    EXPECT_FALSE(scored[0].hits[1].is_relevant);
    EXPECT_TRUE(scored[0].hits[1].is_judged);
    EXPECT_TRUE(scored[0].is_judged);
    EXPECT_FALSE(scored[1].is_judged);
    EXPECT_EQ(chance_similarities(db_, vectors).size(), 4U);
}

TEST_F(JudgedProducts, AreOfNoUseToAQueryThatTheModelRefuses) {
    test::SmallEmbedder embedder;
    embedder.spoil = [](test::SmallEmbedder::Texts, test::SmallEmbedder::Answer& answer) {
        for (auto& vector : answer)
            std::ranges::fill(vector.values, 0.0F);
    };
    const JudgedSet set = join(read_queries("\n{\"id\": \"q7\", \"text\": \"uno\"}"), {}, {});
    try {
        embed_queries(embedder, set);
        FAIL() << "embedded";
    } catch (const Error& error) {
        EXPECT_THAT(error.happened(), testing::HasSubstr("Query 'q7' (line 2) cannot be embedded"));
    }
}

}  // namespace
}  // namespace decant::quality
