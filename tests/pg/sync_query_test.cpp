#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "sync/record_pages.hpp"
#include "tests/support/throwaway_cluster.hpp"

namespace decant::sync {
namespace {

class QueryPagesTest : public testing::Test {
protected:
    pg::Connection db_ = pg::Connection::open(test::ThrowawayCluster::shared().create_database());
};

TEST_F(QueryPagesTest, GiveRowsAsRecordsWithTheirTypes) {
    QueryPages pages{db_,
                     "SELECT 'A-1' AS sku, 'Mate' AS name, 1.234::numeric AS price, 7 AS stock, true AS active, "
                     "NULL::text AS brand, 'x' AS shade;  "};
    const std::optional<Page> page = pages.next();
    ASSERT_TRUE(page);
    ASSERT_EQ(page->items.size(), 1U);
    const Incoming& item = page->items[0];
    EXPECT_EQ(item.fault, std::nullopt);
    EXPECT_EQ(item.key, "A-1");
    EXPECT_EQ(item.product.price, 1.234) << "a number of the database is no text that could mean two";
    EXPECT_EQ(item.product.stock, 7);
    EXPECT_EQ(item.product.active, true);
    EXPECT_EQ(item.product.brand, std::nullopt);
    EXPECT_FALSE(pages.next());
    EXPECT_THAT(pages.unknown_columns(), testing::ElementsAre("shade"));
}

TEST_F(QueryPagesTest, KeepARowTogetherWhoseJsonHasLineBreaks) {
    QueryPages pages{db_, R"(SELECT 'A-1' AS sku, E'{"a":\n 1,\r\n "b": "x\\ny"}'::json AS meta_data)"};
    const Page page = pages.next().value();
    ASSERT_EQ(page.items.size(), 1U);
    EXPECT_EQ(page.items[0].fault, std::nullopt);
    EXPECT_EQ(page.items[0].key, "A-1");
    EXPECT_EQ(page.items[0].product.meta_data, R"({"a":1,"b":"x\ny"})");
}

TEST_F(QueryPagesTest, AreStreamed) {
    QueryPages pages{db_, "SELECT 'S' || i AS sku FROM generate_series(1, 4001) i -- all of them"};
    std::size_t items = 0;
    std::string last;
    while (const auto page = pages.next()) {
        EXPECT_EQ(page->offset, items);
        items += page->items.size();
        last = page->items.back().key;
    }
    EXPECT_EQ(items, 4001U);
    EXPECT_EQ(last, "S4001");
}

TEST_F(QueryPagesTest, WriteNothingThere) {
    db_.exec(
        "CREATE TABLE visits (at int); CREATE FUNCTION visit() RETURNS text LANGUAGE sql AS "
        "$$ INSERT INTO visits VALUES (1) RETURNING 'S1' $$");
    const auto read = [&] { QueryPages{db_, "SELECT visit() AS sku"}.next(); };
    EXPECT_THROW(read(), Error);
    EXPECT_EQ(db_.exec("SELECT count(*) FROM visits").integer(0, 0), 0);
}

TEST_F(QueryPagesTest, SayWhatTheServerSaysOfAWrongQuery) {
    try {
        QueryPages{db_, "SELECT sku FROM nowhere"};
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::not_found);
        EXPECT_THAT(error.happened(), testing::HasSubstr("nowhere"));
    }
}

}  // namespace
}  // namespace decant::sync
