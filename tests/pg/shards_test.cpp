// The sharded copy of the catalog: made, made anew, and searched.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "operate/shard_copy.hpp"
#include "search/shard_search.hpp"
#include "search/vector_search.hpp"
#include "tests/support/schema_case.hpp"
#include "tests/support/shard_servers.hpp"

namespace decant::search {
namespace {

using test::exact_skus;
using test::question;
using test::skus;
using test::ThrowawayCluster;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr int products = 900;

/// Four databases of one server: the live catalog, and three that are its shards.
class Shards : public testing::Test {
protected:
    static void SetUpTestSuite() {
        with_ = new test::SchemaCase{ThrowawayCluster::shared().create_database()};
        ASSERT_EQ(with_->decant().run({"schema", "up", "--dimension", "32"}).exit_code, 0);
        with_->put_products(products);
        for (int shard = 0; shard < 3; ++shard)
            urls_.push_back(test::shard_url(ThrowawayCluster::shared()));
        make_copy();
    }
    static void TearDownTestSuite() { delete with_; }

    static operate::ShardRequest request() { return {.conninfo = with_->decant().conninfo(), .servers = urls_}; }
    static void make_copy() { operate::make_sharded_copy(request()); }
    static pg::Result tables_of(const std::string& shard) {
        return pg::Connection::open(shard).exec(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'decant_shard'::regnamespace");
    }

    static inline test::SchemaCase* with_ = nullptr;
    static inline std::vector<std::string> urls_;
};

TEST_F(Shards, FindWhatOneServerFindsByComparingAll) {
    pg::Connection db = with_->open();
    ShardSearcher searcher{db, ShardFailure::error};
    EXPECT_EQ(searcher.model(), "a model");
    for (int number = 0; number < 20; ++number) {
        const std::vector<float> vector = question(number);
        const VectorQuery query{.vector = vector, .limit = 10, .offset = static_cast<std::uint64_t>(number % 3)};
        EXPECT_EQ(skus(searcher.find(query)), exact_skus(db, query)) << number;
    }
}

TEST_F(Shards, FindAsManyAsPassAFilterThatFewPass) {
    pg::Connection db = with_->open();
    ShardSearcher searcher{db, ShardFailure::error};
    const std::vector<float> vector = question(1);
    const std::string category = "category_id = (SELECT id FROM categories WHERE name = 'cat-3')";
    const std::string brand = "brand_id = (SELECT id FROM brands WHERE name = 'brand-7')";
    const std::vector<std::pair<Filter, std::string>> cases{
        {{.max_price = 12}, "price <= 12"},
        {{.category = "cat-3", .in_stock = true}, category + " AND stock > 0"},
        {{.brand = "brand-7", .min_price = 100, .max_price = 400}, brand + " AND price BETWEEN 100 AND 400"}};
    for (const auto& [filter, condition] : cases) {
        const VectorQuery query{.vector = vector, .filter = filter, .limit = 10};
        EXPECT_EQ(skus(searcher.find(query)), exact_skus(db, query, condition)) << condition;
    }
}

TEST_F(Shards, EachGetsOrderAndLimitAndItsIndexAnswers) {
    pg::Connection db = with_->open();
    const std::vector<float> vector = question(2);
    const std::string plan =
        ShardSearcher{db, ShardFailure::error}.find({.vector = vector, .limit = 5, .explains = true}).plan;
    std::size_t sent = 0;
    for (std::size_t at = 0; (at = plan.find("Remote SQL: ", at)) != std::string::npos; ++at, ++sent)
        EXPECT_THAT(plan.substr(at, plan.find('\n', at) - at),
                    AllOf(HasSubstr("ORDER BY (embedding OPERATOR(public.<=>)"), HasSubstr("LIMIT 25")))
            << plan;
    EXPECT_EQ(sent, 3U) << plan;
    for (const std::string& shard : urls_) {
        pg::Connection there = pg::Connection::open(shard);
        there.exec("SELECT pg_stat_force_next_flush()");
        EXPECT_EQ(
            there.exec("SELECT count(*) FROM pg_stat_user_indexes WHERE schemaname = 'decant_shard' AND idx_scan > 0")
                .integer(0, 0),
            1);
    }
}

TEST_F(Shards, HoldEveryProductOnceAndAnotherCopyTakesThePlaceOfTheFirst) {
    make_copy();
    std::int64_t rows = 0;
    for (const std::string& shard : urls_) {
        pg::Connection there = pg::Connection::open(shard);
        const pg::Result tables = tables_of(shard);
        ASSERT_EQ(tables.rows(), 1);
        const auto count =
            there.exec(fmt::format("SELECT count(*) FROM decant_shard.{}", tables.text(0, 0))).integer(0, 0);
        EXPECT_GT(count, products / 5);
        rows += count;
    }
    EXPECT_EQ(rows, products);
    EXPECT_EQ(with_->value("SELECT count(*) FROM pg_foreign_server"), "3");
}

TEST_F(Shards, ASearcherOfTheCopyBeforeGoesOnWithTheNewOne) {
    pg::Connection db = with_->open();
    ShardSearcher searcher{db, ShardFailure::error};
    const std::vector<float> vector = question(3);
    const VectorQuery query{.vector = vector, .limit = 10};
    const auto before = skus(searcher.find(query));
    make_copy();
    EXPECT_EQ(skus(searcher.find(query)), before);
}

TEST_F(Shards, GiveProductsAsTheCatalogHasThemNow) {
    pg::Connection db = with_->open();
    ShardSearcher searcher{db, ShardFailure::error};
    const std::vector<float> vector = question(4);
    const VectorQuery query{.vector = vector, .filter = {.in_stock = true}, .limit = 3};
    const std::vector<std::string> before = skus(searcher.find(query));
    with_->exec(fmt::format("UPDATE products SET stock = 0 WHERE sku = '{}'", before[0]));
    EXPECT_THAT(skus(searcher.find(query)), testing::Contains(before[1]));
    EXPECT_THAT(skus(searcher.find(query)), Not(testing::Contains(before[0])));
    with_->exec(fmt::format("UPDATE products SET stock = 5 WHERE sku = '{}'", before[0]));
}

TEST_F(Shards, P2_ACopyThatIsKilledLeavesTheOneBeforeAndTheNextRemovesItsTables) {
    pg::Connection db = with_->open();
    const std::vector<float> vector = question(7);
    const VectorQuery query{.vector = vector, .limit = 10};
    const auto before = skus(ShardSearcher{db, ShardFailure::error}.find(query));
    for (const char* point : {"shard.copied:1", "shard.indexed:1", "shard.published:1"}) {
        const test::Outcome killed = with_->decant().run(
            {"schema", "shard"},
            {fmt::format("SHARD_SERVERS={}", fmt::join(urls_, ",")), fmt::format("DECANT_FAILPOINT={}", point)});
        EXPECT_EQ(killed.exit_code, 137) << killed.told();
        EXPECT_EQ(skus(ShardSearcher{db, ShardFailure::error}.find(query)), before);
    }
    make_copy();
    for (const std::string& shard : urls_)
        EXPECT_EQ(tables_of(shard).rows(), 1);
    EXPECT_EQ(skus(ShardSearcher{db, ShardFailure::error}.find(query)), before);
}

TEST_F(Shards, AreShownByADryRunThatChangesNothing) {
    const std::string before = with_->value("SELECT obj_description('decant_sharded'::regnamespace, 'pg_namespace')");
    const test::Outcome dry = with_->decant().run({"schema", "shard", "--dry-run", "--json"},
                                                  {fmt::format("SHARD_SERVERS={},{}", urls_[0], urls_[2])});
    ASSERT_EQ(dry.exit_code, 0) << dry.told();
    EXPECT_EQ(dry.json().at("rows"), boost::json::value(products));
    EXPECT_EQ(dry.json().at("shards").as_array().size(), 2U);
    EXPECT_EQ(with_->value("SELECT obj_description('decant_sharded'::regnamespace, 'pg_namespace')"), before);
}

TEST_F(Shards, AreNeverTheLiveDatabaseAndNeverOneTwice) {
    const std::string live =
        urls_[0].substr(0, urls_[0].rfind('/') + 1) + test::database_of(with_->decant().conninfo());
    for (const auto& servers : {std::vector{urls_[0], live}, std::vector{urls_[0], urls_[0]}}) {
        operate::ShardRequest wrong = request();
        wrong.servers = servers;
        EXPECT_THROW(operate::make_sharded_copy(wrong), Error);
    }
}

TEST_F(Shards, GoWhenTheyAreDropped) {
    EXPECT_TRUE(operate::drop_sharded_copy(request()));
    EXPECT_EQ(with_->value("SELECT count(*) FROM pg_foreign_server"), "0");
    pg::Connection db = with_->open();
    EXPECT_THROW(ShardSearcher(db, ShardFailure::partial), Error);
    EXPECT_FALSE(operate::drop_sharded_copy(request()));
    make_copy();
}

}  // namespace
}  // namespace decant::search
