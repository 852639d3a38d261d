#include "search/detail/product_join.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <map>

#include "migrate/product_index.hpp"
#include "tests/support/schema_case.hpp"

namespace decant::search::detail {
namespace {

using testing::HasSubstr;
using testing::Not;

class ProductJoinTest : public testing::Test {
protected:
    static void SetUpTestSuite() {
        with_ = new test::SchemaCase;
        with_->put_products(5'000);
        // A sku that is another product's id.
        with_->exec(
            "UPDATE products SET sku = (SELECT id::text FROM products WHERE sku = 'sku-1') WHERE sku = 'sku-2'");
    }
    static void TearDownTestSuite() { delete with_; }

    std::string plan(const ProductJoin& join) {
        const pg::Result rows = db_.query("EXPLAIN " + join.sql(), join.params());
        std::string out;
        for (int row = 0; row < rows.rows(); ++row)
            out += std::string{rows.text(row, 0)} + "\n";
        return out;
    }

    static inline test::SchemaCase* with_ = nullptr;
    pg::Connection db_ = with_->open();
    BoundFilter all_ = bind(db_, {.active = false});
};

TEST_F(ProductJoinTest, FindsTheProductThatMigrateFindsForEveryKindOfRecord) {
    const std::string first = with_->value("SELECT id FROM products WHERE sku = 'sku-1'");
    const std::string third = with_->value("SELECT id FROM products WHERE sku = 'sku-3'");
    const std::string none = "00000000-0000-4000-8000-000000000000";
    const std::vector<std::string> texts{"",
                                         first,
                                         third,
                                         none,
                                         "sku-1",
                                         "sku-3",
                                         "sku-4",
                                         "no-sku",
                                         "product_" + first,
                                         "product_" + none,
                                         "it's \"quoted\", {so} \\ \n"};
    migrate::ProductIndex index;
    index.load(db_, std::nullopt);
    std::size_t found_by_both = 0;
    for (const std::string& product_id : texts) {
        for (const std::string& sku : texts) {
            for (const std::string& id : texts) {
                const std::vector<chroma::MetadataEntry> metadata{
                    {"product_id", chroma::Scalar{std::string_view{product_id}}},
                    {"sku", chroma::Scalar{std::string_view{sku}}}};
                const auto expected = index.find({.id = id, .document = {}, .metadata = metadata, .vector = {}});
                ProductJoin join{all_};
                join.add({product_id, sku, id});
                const ProductJoin::Answer answer = join.run(db_);
                ASSERT_EQ(answer.known, expected ? 1U : 0U) << product_id << ", " << sku << ", " << id;
                ASSERT_EQ(answer.found.size(), answer.known);
                if (!expected) continue;
                EXPECT_EQ(answer.found.front().hit.id, catalog::text_of(index.products()[*expected].id))
                    << product_id << ", " << sku << ", " << id;
                ++found_by_both;
            }
        }
    }
    EXPECT_GT(found_by_both, 500U);
}

TEST_F(ProductJoinTest, KeepsTheRecordsOrderAndGivesAProductToItsFirstRecord) {
    ProductJoin join{all_};
    join.add({"", "sku-9", ""});
    join.add({"", "unknown", ""});
    join.add({"", "sku-5", ""});
    join.add({"", "", "sku-9"});
    join.add({"", "", "sku-7"});
    const ProductJoin::Answer answer = join.run(db_);
    EXPECT_EQ(answer.known, 4U);
    ASSERT_EQ(answer.found.size(), 3U);
    EXPECT_EQ(answer.found[0].hit.sku, "sku-9");
    EXPECT_EQ(answer.found[0].record, 0U);
    EXPECT_EQ(answer.found[1].hit.sku, "sku-5");
    EXPECT_EQ(answer.found[1].record, 2U);
    EXPECT_EQ(answer.found[2].hit.sku, "sku-7");
    EXPECT_EQ(answer.found[2].record, 4U);
}

TEST_F(ProductJoinTest, CountsAsKnownWhatTheFilterRemoves) {
    const BoundFilter dear = bind(db_, {.min_price = 100});
    ProductJoin join{dear};
    join.add({"", "sku-50", ""});
    join.add({"", "sku-150", ""});
    const ProductJoin::Answer answer = join.run(db_);
    EXPECT_EQ(answer.known, 2U);
    ASSERT_EQ(answer.found.size(), 1U);
    EXPECT_EQ(answer.found[0].record, 1U);
}

TEST_F(ProductJoinTest, ReadsOnlyTheRowsOfItsRecordsWhereTheyAreFew) {
    ProductJoin join{all_};
    const std::string id = with_->value("SELECT id FROM products WHERE sku = 'sku-9'");
    for (int i = 0; i < 8; ++i)
        join.add({id, fmt::format("sku-{}", i), fmt::format("record-{}", i)});
    const std::string told = plan(join);
    EXPECT_THAT(told, HasSubstr("products_pkey"));
    EXPECT_THAT(told, HasSubstr("products_sku_key"));
    EXPECT_THAT(told, Not(HasSubstr("Seq Scan on products")));
}

TEST_F(ProductJoinTest, OfNothingIsNothing) {
    const ProductJoin::Answer answer = ProductJoin{all_}.run(db_);
    EXPECT_EQ(answer.known, 0U);
    EXPECT_TRUE(answer.found.empty());
}

}  // namespace
}  // namespace decant::search::detail
