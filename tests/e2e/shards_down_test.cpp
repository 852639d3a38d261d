// A sharded copy of the catalog on three servers, one of which goes down.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "core/error.hpp"
#include "operate/shard_copy.hpp"
#include "search/shard_search.hpp"
#include "tests/support/schema_case.hpp"
#include "tests/support/serve_case.hpp"
#include "tests/support/shard_servers.hpp"

namespace decant::test {
namespace {

using search::ShardFailure;
using search::ShardSearcher;
using search::VectorAnswer;
using search::VectorQuery;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

/// Servers that log every statement.
const ThrowawayCluster::Options talkative{.settings = {"log_statement=all", "log_min_duration_statement=0"}};

/// What is stopped at once has what it was told to keep.
const ThrowawayCluster::Options durable{.is_durable = true};

struct ThreeShards {
    ThrowawayCluster first{talkative};
    ThrowawayCluster second{durable};
    ThrowawayCluster third{durable};
    std::vector<std::string> urls{shard_url(first), shard_url(second), shard_url(third)};

    std::string setting() const { return fmt::format("SHARD_SERVERS={}", fmt::join(urls, ",")); }
};

class LongShards : public testing::Test {
protected:
    ThrowawayCluster live_{talkative};
    ThreeShards shards_;
};

TEST_F(LongShards, P2_OfThreeServersFindWhatOneDoesAndAnswerInPartOrNotAtAllWhileOneIsDown) {
    const SchemaCase with{live_.create_database()};
    ASSERT_EQ(with.decant().run({"schema", "up", "--dimension", "32"}).exit_code, 0);
    with.put_products(900);
    const Outcome made = with.decant().run({"schema", "shard"}, {shards_.setting()});
    ASSERT_EQ(made.exit_code, 0) << made.told();
    EXPECT_THAT(made.told(), AllOf(HasSubstr("Copied 900 products"), Not(HasSubstr("s3cret"))));
    for (const ThrowawayCluster* cluster : {&live_, &shards_.first}) {
        std::ifstream log{cluster->folder() / "log"};
        const std::string text{std::istreambuf_iterator<char>{log}, {}};
        EXPECT_THAT(text, HasSubstr("decant_shard"));
        EXPECT_THAT(text, Not(HasSubstr("s3cret")));
    }

    pg::Connection db = with.open();
    ShardSearcher partial{db, ShardFailure::partial};
    ShardSearcher strict{db, ShardFailure::error};
    for (int number = 0; number < 20; ++number) {
        const std::vector<float> vector = question(number);
        const VectorQuery query{.vector = vector, .limit = 10};
        EXPECT_EQ(skus(partial.find(query)), exact_skus(db, query)) << number;
    }

    const std::vector<float> vector = question(5);
    const VectorQuery query{.vector = vector, .limit = 50};
    const std::vector<std::string> whole = skus(partial.find(query));
    shards_.third.stop(ThrowawayCluster::Stop::immediate);
    for (int turn = 0; turn < 2; ++turn) {
        const VectorAnswer part = partial.find(query);
        EXPECT_THAT(part.missing, ElementsAre("shard 3 of 3"));
        EXPECT_EQ(part.hits.size(), 50U);
        EXPECT_NE(skus(part), whole);
        try {
            strict.find(query);
            ADD_FAILURE() << "answered without a shard";
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ErrorCode::source_unavailable) << error.happened();
            EXPECT_THAT(error.happened(), HasSubstr("shard 3 of 3 does not answer"));
        }
    }
    shards_.third.restart(ThrowawayCluster::Stop::fast);
    for (const ShardFailure failure : {ShardFailure::partial, ShardFailure::error}) {
        ShardSearcher anew{db, failure};
        EXPECT_EQ(skus(anew.find(query)), whole);
    }
}

TEST_F(LongShards, P2_DegradeTheAnswersOfACommandOrFailItAsIsSet) {
    const ServeCase with{live_};
    const std::vector<std::string> as_served = with.environment();
    const auto run = [&](std::vector<std::string> arguments, const std::vector<std::string>& more = {}) {
        std::vector<std::string> environment = as_served;
        environment.push_back(shards_.setting());
        environment.insert(environment.end(), more.begin(), more.end());
        return with.catalog().decant().run(arguments, environment);
    };
    ASSERT_EQ(run({"schema", "shard"}).exit_code, 0);
    const Outcome whole = run({"search", "producto 7", "--sharded", "--json"});
    ASSERT_EQ(whole.exit_code, 0) << whole.told();
    EXPECT_EQ(whole.json().at("degraded"), boost::json::value(false));
    EXPECT_EQ(whole.json().at("results").as_array().size(), 10U);
    shards_.second.stop(ThrowawayCluster::Stop::immediate);
    const Outcome part = run({"search", "producto 7", "--json"}, {"SHARD_SEARCH=true"});
    ASSERT_EQ(part.exit_code, 0) << part.told();
    EXPECT_EQ(part.json().at("degraded"), boost::json::value(true));
    EXPECT_THAT(std::string{part.json().at("reason").as_string()}, HasSubstr("shard 2 of 3 does not answer"));
    const Outcome failed = run({"search", "producto 7", "--sharded"}, {"SHARD_FAILURE=error"});
    EXPECT_EQ(failed.exit_code, 69) << failed.told();
    EXPECT_THAT(failed.err, HasSubstr("shard 2 of 3 does not answer"));
    shards_.second.restart(ThrowawayCluster::Stop::fast);
}

}  // namespace
}  // namespace decant::test
