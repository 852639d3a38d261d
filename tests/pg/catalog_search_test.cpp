// find_similar_products and product_similarity: rows, plans, filters.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "core/error.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/schema_case.hpp"

namespace decant::test {
namespace {

constexpr int products = 3'000;

class CatalogSearch : public testing::Test {
protected:
    static void SetUpTestSuite() {
        with_ = new SchemaCase;
        with_->put_products(products);
    }
    static void TearDownTestSuite() { delete with_; }

    static std::string vector_of(const std::string& sku) {
        return fmt::format("(SELECT embedding FROM products WHERE sku = '{}')", sku);
    }
    /// Scans of the HNSW index so far.
    static std::int64_t scans(pg::Connection& db) {
        db.exec("SELECT pg_stat_force_next_flush()");
        return db.exec("SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname = 'idx_products_embedding_hnsw'")
            .integer(0, 0);
    }
    /// The skus that a search gives, in its order; `filters` are SQL arguments after the vector.
    static std::vector<std::string> search(pg::Connection& db, const std::string& sku, const std::string& filters) {
        const pg::Result rows = db.exec(
            fmt::format("SELECT p.sku FROM find_similar_products({}, {}) WITH ORDINALITY s JOIN products p ON p.id = "
                        "s.product_id ORDER BY s.ordinality",
                        vector_of(sku), filters));
        return skus_of(rows);
    }
    static std::vector<std::string> exact(pg::Connection& db, const std::string& sku, const std::string& condition,
                                          int limit) {
        return skus_of(
            db.exec(fmt::format("SELECT sku FROM products WHERE active AND {} ORDER BY (embedding <=> {}) + 0, id "
                                "LIMIT {}",
                                condition, vector_of(sku), limit)));
    }
    static std::vector<std::string> skus_of(const pg::Result& rows) {
        std::vector<std::string> skus;
        for (int row = 0; row < rows.rows(); ++row)
            skus.emplace_back(rows.text(row, 0));
        return skus;
    }
    static double recall(const std::vector<std::string>& found, const std::vector<std::string>& truth) {
        const std::set<std::string> wanted(truth.begin(), truth.end());
        return static_cast<double>(
                   std::ranges::count_if(found, [&](const auto& sku) { return wanted.contains(sku); })) /
               static_cast<double>(truth.size());
    }

    static inline SchemaCase* with_ = nullptr;
};

struct Filter {
    const char* arguments;
    const char* condition;
};

constexpr std::array wide_filters{
    Filter{"0, 10", "stock > 0"},
    Filter{"-1, 10, require_stock => false", "true"},
    Filter{"-1, 10, category_filter => (SELECT id FROM categories WHERE name = 'cat-3'), require_stock => false",
           "category_id = (SELECT id FROM categories WHERE name = 'cat-3')"},
    Filter{"-1, 10, min_price => 1000, max_price => 2500, require_stock => false", "price BETWEEN 1000 AND 2500"},
    Filter{"-1, 10, min_price => 2000", "price >= 2000 AND stock > 0"},
};

TEST_F(CatalogSearch, IsServedByTheHnswIndexWithAndWithoutFilters) {
    auto db = with_->open();
    for (const Filter& filter : wide_filters) {
        const std::int64_t before = scans(db);
        EXPECT_EQ(search(db, "sku-7", filter.arguments).size(), 10U) << filter.arguments;
        EXPECT_EQ(scans(db), before + 1) << filter.arguments;
    }
}

TEST_F(CatalogSearch, StaysServedByTheIndexWhenAPreparedCallGetsAGenericPlan) {
    auto db = with_->open();
    db.exec(
        "SET plan_cache_mode = force_generic_plan; PREPARE nearest (vector, uuid) AS SELECT * FROM "
        "find_similar_products($1, -1, 5, category_filter => $2)");
    const std::int64_t before = scans(db);
    const std::string vector{db.exec("SELECT " + vector_of("sku-7")).text(0, 0)};
    EXPECT_EQ(db.exec(fmt::format("EXECUTE nearest('{}', NULL)", vector)).rows(), 5);
    EXPECT_EQ(scans(db), before + 1);
}

TEST_F(CatalogSearch, FindsWhatAnExactScanFinds) {
    auto db = with_->open();
    double sum = 0;
    int searches = 0;
    for (const Filter& filter : wide_filters) {
        for (int i = 1; i <= 20; ++i, ++searches) {
            const std::string sku = fmt::format("sku-{}", i * 37);
            sum += recall(search(db, sku, filter.arguments), exact(db, sku, filter.condition, 10));
        }
    }
    EXPECT_GE(sum / searches, 0.97);
}

TEST_F(CatalogSearch, IsNeverStarvedByAFilter) {
    auto db = with_->open();
    // Twelve of three thousand, and a scan that ends long before it has met ten of them.
    db.exec("SET hnsw.max_scan_tuples = 50");
    const std::vector<std::string> found = search(db, "sku-7", "-1, 10, NULL, NULL, 2001, 2012, false");
    EXPECT_EQ(found, exact(db, "sku-7", "price BETWEEN 2001 AND 2012", 10));
    EXPECT_EQ(search(db, "sku-7", "-1, 100, NULL, NULL, 2001, 2012, false").size(), 12U);
}

TEST_F(CatalogSearch, GivesTheNearestFirstWithNamesPricesAndStock) {
    auto db = with_->open();
    const pg::Result rows =
        db.exec(fmt::format("SELECT product_name, similarity_score, price, stock, category_name, brand_name, "
                            "lag(similarity_score) OVER () >= similarity_score FROM find_similar_products({}, 0.0, 5)",
                            vector_of("sku-7")));
    ASSERT_EQ(rows.rows(), 5);
    EXPECT_EQ(rows.text(0, 0), "Product 7");
    EXPECT_NEAR(rows.real(0, 1), 1.0, 1e-6);
    EXPECT_EQ(rows.text(0, 2), "7");
    EXPECT_EQ(rows.text(0, 3), "1");
    EXPECT_EQ(rows.text(0, 4), "cat-7");
    EXPECT_EQ(rows.text(0, 5), "brand-7");
    for (int row = 1; row < 5; ++row)
        EXPECT_TRUE(rows.boolean(row, 6)) << row;
}

TEST_F(CatalogSearch, LeavesOutWhatIsBelowTheThresholdOutOfStockOrInactive) {
    auto db = with_->open();
    EXPECT_EQ(search(db, "sku-7", "0.9999, 10"), std::vector<std::string>{"sku-7"});
    EXPECT_TRUE(search(db, "sku-10", "0.9999, 10").empty());
    EXPECT_EQ(search(db, "sku-10", "0.9999, 10, require_stock => false"), std::vector<std::string>{"sku-10"});
    const pg::Transaction rolled_back{db};
    db.exec("UPDATE products SET active = false WHERE sku = 'sku-7'");
    EXPECT_TRUE(search(db, "sku-7", "0.9999, 10").empty());
}

TEST_F(CatalogSearch, LeavesTheSettingsOfTheCallerAsTheyWere) {
    auto db = with_->open();
    const std::string shown =
        "SELECT current_setting('hnsw.iterative_scan') || current_setting('hnsw.ef_search') || "
        "current_setting('enable_seqscan') || current_setting('enable_sort')";
    db.exec("SELECT '[1]'::vector; SET hnsw.ef_search = 77");
    const std::string before{db.exec(shown).text(0, 0)};
    const pg::Transaction open{db};
    search(db, "sku-7", "-1, 100, NULL, NULL, 2001, 2012");
    EXPECT_EQ(db.exec(shown).text(0, 0), before);
}

TEST_F(CatalogSearch, RefusesAZeroVectorAndFindsNothingForNone) {
    auto db = with_->open();
    EXPECT_EQ(db.exec("SELECT * FROM find_similar_products(NULL)").rows(), 0);
    EXPECT_THROW(db.exec("SELECT * FROM find_similar_products(array_fill(0, ARRAY[32])::vector)"), Error);
}

TEST_F(CatalogSearch, ProductSimilarityIsZeroWhereOneHasNoVector) {
    auto db = with_->open();
    const std::string similarity = "SELECT product_similarity((SELECT id FROM products WHERE sku = 'sku-7'), {})";
    EXPECT_NEAR(
        db.exec(fmt::format(fmt::runtime(similarity), "(SELECT id FROM products WHERE sku = 'sku-7')")).real(0, 0), 1.0,
        1e-6);
    const pg::Transaction rolled_back{db};
    db.exec("UPDATE products SET embedding = NULL WHERE sku = 'sku-8'");
    const std::string none = "(SELECT id FROM products WHERE sku = 'sku-8')";
    EXPECT_EQ(db.exec(fmt::format(fmt::runtime(similarity), none)).text(0, 0), "0");
    EXPECT_EQ(db.exec(fmt::format(fmt::runtime(similarity), "gen_random_uuid()")).text(0, 0), "0");
}

TEST_F(CatalogSearch, SimilarShowsTheNearestWithoutTheProductItselfByIdOrSku) {
    auto db = with_->open();
    const std::int64_t before = scans(db);
    const Outcome by_sku = with_->decant().run({"similar", "sku-7", "--limit", "3", "--json"});
    ASSERT_EQ(by_sku.exit_code, 0) << by_sku.told();
    // The server counts a session's scans when the session has ended, which the program does not wait for.
    EXPECT_TRUE(eventually(std::chrono::seconds{10}, [&] { return scans(db) > before; }));
    const boost::json::value document = by_sku.json();
    const auto& similar = document.at("similar").as_array();
    const std::vector<std::string> truth = exact(db, "sku-7", "sku <> 'sku-7'", 3);
    ASSERT_EQ(similar.size(), 3U);
    for (std::size_t i = 0; i < 3; ++i)
        EXPECT_EQ(similar[i].at("sku").as_string(), truth[i]);
    const std::string id = with_->value("SELECT id FROM products WHERE sku = 'sku-7'");
    EXPECT_EQ(with_->decant().run({"similar", id, "--limit", "3", "--json"}).out, by_sku.out);
}

}  // namespace
}  // namespace decant::test
