#include "search/vector_search.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <set>

#include "core/error.hpp"
#include "pg/binary_row.hpp"
#include "tests/support/schema_case.hpp"

namespace decant::search {
namespace {

using testing::HasSubstr;

constexpr int products = 3'000;

/// 3,000 products of one catalog for all tests, which only read.
class VectorSearch : public testing::Test {
protected:
    static void SetUpTestSuite() {
        with_ = new test::SchemaCase;
        with_->put_products(products);
        with_->exec(
            "UPDATE products SET featured = true WHERE price::int % 50 < 25; "
            "UPDATE products SET active = false WHERE price > 2990; ANALYZE products");
    }
    static void TearDownTestSuite() { delete with_; }

    /// The vector of a product.
    std::vector<float> vector_of(const std::string& sku) {
        std::vector<float> vector;
        const pg::Result row = db_.query("SELECT unnest(embedding::real[]) FROM products WHERE sku = $1", {sku});
        for (int i = 0; i < row.rows(); ++i)
            vector.push_back(static_cast<float>(row.real(i, 0)));
        return vector;
    }

    VectorAnswer find(const Filter& filter, std::uint64_t limit = 10, double threshold = -1) {
        return find_nearest(
            db_, {.vector = vector_, .filter = filter, .limit = limit, .threshold = threshold, .explains = true});
    }

    /// How many of `hits` the exact answer has too.
    double recall(const std::vector<Hit>& hits, const std::string& condition) {
        const pg::Result exact = db_.query(
            fmt::format(
                "SELECT p.sku FROM products p JOIN categories c ON c.id = p.category_id JOIN brands b ON b.id = "
                "p.brand_id WHERE {} AND embedding IS NOT NULL ORDER BY (embedding <=> (SELECT embedding FROM "
                "products WHERE sku = 'sku-77')) + 0 LIMIT {}",
                condition, hits.size()),
            {});
        std::set<std::string> wanted;
        for (int row = 0; row < exact.rows(); ++row)
            wanted.emplace(exact.text(row, 0));
        const auto found = std::ranges::count_if(hits, [&](const Hit& hit) { return wanted.contains(hit.sku); });
        return static_cast<double>(found) / static_cast<double>(hits.size());
    }

    static inline test::SchemaCase* with_ = nullptr;
    pg::Connection db_ = with_->open();
    std::vector<float> vector_ = vector_of("sku-77");
};

TEST_F(VectorSearch, FindsTheNearestFirstByTheIndexWhenNothingNarrows) {
    const VectorAnswer answer = find({});
    ASSERT_EQ(answer.hits.size(), 10U);
    EXPECT_EQ(answer.hits.front().sku, "sku-77");
    EXPECT_NEAR(answer.hits.front().score, 1, 1e-6);
    EXPECT_TRUE(std::ranges::is_sorted(answer.hits, std::greater{}, &Hit::score));
    EXPECT_EQ(answer.scan, Scan::index);
    EXPECT_THAT(answer.plan, HasSubstr("idx_products_embedding_hnsw"));
    EXPECT_GE(recall(answer.hits, "p.active"), 0.9);
}

TEST_F(VectorSearch, ComparesAllThatPassWhereFewDo) {
    const VectorAnswer answer = find({.category = "Category 3", .brand = "BRAND-11", .max_price = 1'000});
    ASSERT_EQ(answer.hits.size(), 10U);
    EXPECT_EQ(answer.scan, Scan::exact);
    EXPECT_THAT(answer.plan, Not(HasSubstr("idx_products_embedding_hnsw")));
    EXPECT_EQ(recall(answer.hits, "c.name = 'cat-3' AND b.name = 'brand-11' AND price <= 1000"), 1);
    for (const Hit& hit : answer.hits) {
        EXPECT_EQ(hit.category, "cat-3");
        EXPECT_EQ(hit.brand, "brand-11");
        EXPECT_LE(hit.price, 1'000);
    }
}

TEST_F(VectorSearch, ComparesAllThatPassWhereThoseLieFarFromTheQuestion) {
    const VectorAnswer answer = find_nearest(
        db_, {.vector = vector_, .filter = {.featured = true}, .limit = 20, .recall = 0.9, .explains = true});
    ASSERT_EQ(answer.hits.size(), 20U);
    EXPECT_EQ(answer.scan, Scan::exact);
    EXPECT_THAT(answer.plan, Not(HasSubstr("idx_products_embedding_hnsw")));
    EXPECT_EQ(recall(answer.hits, "p.active AND featured"), 1);
}

TEST_F(VectorSearch, TakesTheIndexWhereEnoughOfTheNearestPass) {
    const VectorAnswer answer = find({.max_price = 1'500});
    EXPECT_EQ(answer.scan, Scan::index);
    EXPECT_THAT(answer.plan, HasSubstr("idx_products_embedding_hnsw"));
    EXPECT_GE(recall(answer.hits, "p.active AND price <= 1500"), 0.9);
}

TEST_F(VectorSearch, SortsWhatTheIndexGivesBecauseThatMayBeOutOfOrder) {
    EXPECT_THAT(find({.max_price = 1'500}).plan, Not(HasSubstr("Presorted Key: nearest")));
}

TEST_F(VectorSearch, PlansAStatementOnceAConnection) {
    VectorSearcher searcher{db_};
    for (int i = 0; i < 3; ++i)
        searcher.find({.vector = vector_});
    const pg::Result plans = db_.exec(
        "SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE statement LIKE '%WITH nearest%'");
    ASSERT_EQ(plans.rows(), 1);
    EXPECT_EQ(plans.integer(0, 0), 3);
    EXPECT_EQ(plans.integer(0, 1), 0);
}

struct FilterCase {
    const char* name;
    Filter filter;
    const char* condition;
};

class FilteredSearch : public VectorSearch, public testing::WithParamInterface<FilterCase> {};

TEST_P(FilteredSearch, GivesAsManyRowsAsPassAndNoOthers) {
    const auto& [name, filter, condition] = GetParam();
    const std::string from = fmt::format(
        "FROM products p JOIN categories c ON c.id = p.category_id JOIN brands b ON b.id = p.brand_id WHERE {}",
        condition);
    const pg::Result rows = db_.exec("SELECT p.sku " + from);
    std::set<std::string> passing;
    for (int row = 0; row < rows.rows(); ++row)
        passing.emplace(rows.text(row, 0));
    for (const std::uint64_t limit : {1U, 10U, 100U}) {
        const VectorAnswer answer = find(filter, limit);
        ASSERT_EQ(answer.hits.size(), std::min<std::size_t>(limit, passing.size())) << limit;
        EXPECT_GE(recall(answer.hits, condition), 0.9) << limit;
        for (const Hit& hit : answer.hits)
            EXPECT_TRUE(passing.contains(hit.sku)) << hit.sku;
    }
}

INSTANTIATE_TEST_SUITE_P(
    OfEveryKind, FilteredSearch,
    testing::Values(FilterCase{"Category", {.category = "cat-5"}, "p.active AND c.name = 'cat-5'"},
                    FilterCase{"Brand", {.brand = "Brand 2"}, "p.active AND b.name = 'brand-2'"},
                    FilterCase{"Price", {.min_price = 100, .max_price = 120}, "p.active AND price BETWEEN 100 AND 120"},
                    FilterCase{"MostPrices", {.min_price = 10}, "p.active AND price >= 10"},
                    FilterCase{"Stock", {.in_stock = true}, "p.active AND stock > 0"},
                    FilterCase{"Featured", {.featured = true}, "p.active AND featured"},
                    FilterCase{"InactiveToo", {.min_price = 2'985, .active = false}, "price >= 2985"},
                    FilterCase{
                        "All",
                        {.category = "cat-1", .brand = "brand-1", .min_price = 1, .max_price = 2'000, .in_stock = true},
                        "p.active AND c.name = 'cat-1' AND b.name = 'brand-1' AND price <= 2000 AND stock > 0"}),
    [](const auto& one) { return one.param.name; });

TEST_F(VectorSearch, GivesNothingWhereNothingPasses) {
    EXPECT_TRUE(find({.on_sale = true}).hits.empty());
    EXPECT_TRUE(find({.min_price = 50'000}).hits.empty());
}

TEST_F(VectorSearch, LeavesOutWhatIsUnderTheThreshold) {
    const VectorAnswer answer = find({}, 1'000, 0.7);
    ASSERT_FALSE(answer.hits.empty());
    EXPECT_LT(answer.hits.size(), 1'000U);
    EXPECT_GE(answer.hits.back().score, 0.7);
}

TEST_F(VectorSearch, ContinuesOnTheNextPageWhereThePageBeforeEnded) {
    const auto all = find({.brand = "brand-7"}, 20).hits;
    const auto second =
        find_nearest(db_, {.vector = vector_, .filter = {.brand = "brand-7"}, .limit = 10, .offset = 10}).hits;
    ASSERT_EQ(second.size(), 10U);
    for (std::size_t i = 0; i < 10; ++i)
        EXPECT_EQ(second[i].sku, all[10 + i].sku);
}

TEST_F(VectorSearch, NamesTheNearestNameToOneThatTheCatalogDoesNotHave) {
    try {
        find({.category = "Categry 3"});
        FAIL() << "found";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::not_found);
        EXPECT_THAT(error.happened(), HasSubstr("'Categry 3'"));
        EXPECT_THAT(error.remedy(), HasSubstr("'Category 3'"));
    }
}

TEST_F(VectorSearch, RefusesPricesThatNoProductHasAndVectorsOfAnotherModel) {
    EXPECT_THROW(find({.min_price = -1}), Error);
    EXPECT_THROW(find({.min_price = 20, .max_price = 10}), Error);
    vector_.resize(3);
    try {
        find({});
        FAIL() << "found";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::dimension_mismatch);
    }
}

}  // namespace
}  // namespace decant::search
