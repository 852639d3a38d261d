#include "store/api_keys.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "api/access.hpp"
#include "core/error.hpp"
#include "tests/support/schema_case.hpp"

namespace decant::store {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::Not;

class ApiKeysTest : public testing::Test {
protected:
    ErrorCode code_of(const std::function<void()>& work) {
        try {
            work();
        } catch (const Error& error) {
            return error.code();
        }
        return ErrorCode::internal;
    }

    test::SchemaCase with_;
    pg::Connection db_ = with_.open();
    ApiKeys keys_{db_};
};

TEST_F(ApiKeysTest, AreShownOnceAndKeptAsDigests) {
    const ApiKeys::Created shop = keys_.create({.name = "shop", .scopes = {"search", "chat"}, .days = 30});
    EXPECT_THAT(shop.key, MatchesRegex("dk_[A-Za-z0-9_-]{43}"));
    EXPECT_EQ(shop.row.key_hash, sha256(shop.key));
    EXPECT_THAT(shop.row.scopes, ElementsAre("search", "chat"));
    EXPECT_EQ(shop.row.expires_at, shop.row.created_at + 30 * 86'400);
    EXPECT_THAT(with_.value("SELECT api_keys::text FROM decant.api_keys"), Not(HasSubstr(shop.key.substr(3))));
    EXPECT_EQ(with_.value("SELECT encode(key_hash, 'hex') FROM decant.api_keys"), hex(sha256(shop.key)));
    EXPECT_FALSE(keys_.create({.name = "other", .scopes = {"chat"}}).row.expires_at);
}

TEST_F(ApiKeysTest, AreNeverTheSame) {
    std::set<std::string> made;
    for (int i = 0; i < 20; ++i)
        made.insert(keys_.create({.name = "k" + std::to_string(i), .scopes = {"chat"}}).key);
    EXPECT_EQ(made.size(), 20U);
}

TEST_F(ApiKeysTest, KeepTheirNamesAfterTheyAreRevoked) {
    keys_.create({.name = "shop", .scopes = {"chat"}});
    EXPECT_EQ(code_of([&] { keys_.create({.name = "shop", .scopes = {"chat"}}); }), ErrorCode::conflict);
    const ApiKeyRow revoked = keys_.revoke("shop");
    EXPECT_TRUE(revoked.revoked_at);
    EXPECT_EQ(keys_.revoke("shop").revoked_at, revoked.revoked_at);
    EXPECT_EQ(code_of([&] { keys_.create({.name = "shop", .scopes = {"chat"}}); }), ErrorCode::conflict);
    EXPECT_EQ(keys_.list().size(), 1U);
}

TEST_F(ApiKeysTest, AreNamedByWhatALogMayHold) {
    for (const std::string name : {"", "the shop", "a\nb", "ñ", "a'b", "a:b"})
        EXPECT_EQ(code_of([&] { keys_.create({.name = name, .scopes = {"chat"}}); }), ErrorCode::request_invalid)
            << name;
    EXPECT_EQ(code_of([&] { keys_.create({.name = std::string(65, 'a'), .scopes = {"chat"}}); }),
              ErrorCode::request_invalid);
    EXPECT_NO_THROW(keys_.create({.name = std::string(64, 'a'), .scopes = {"chat"}}));
}

TEST_F(ApiKeysTest, ThatAreUsedAreMarkedOnceAMinute) {
    const ApiKeyRow shop = keys_.create({.name = "shop", .scopes = {"chat"}}).row;
    keys_.create({.name = "other", .scopes = {"chat"}});
    keys_.mark_used(std::vector{shop.id});
    EXPECT_TRUE(keys_.list()[0].last_used_at);
    EXPECT_FALSE(keys_.list()[1].last_used_at);
    const std::string row_version = "SELECT ctid FROM decant.api_keys WHERE name = 'shop'";
    const std::string before = with_.value(row_version);
    keys_.mark_used(std::vector{shop.id});
    EXPECT_EQ(with_.value(row_version), before) << "it is not written for every call";
    with_.exec("UPDATE decant.api_keys SET last_used_at = now() - interval '2 minutes' WHERE name = 'shop'");
    keys_.mark_used(std::vector{shop.id});
    EXPECT_EQ(with_.value("SELECT last_used_at > now() - interval '1 minute' FROM decant.api_keys WHERE name = 'shop'"),
              "t");
}

TEST_F(ApiKeysTest, OpenTheServerFromTheTable) {
    const std::string key = keys_.create({.name = "shop", .scopes = {"search"}}).key;
    api::Access access{{.host = "0.0.0.0"}, keys_.list()};
    net::ServerRequest request{.peer = "192.168.1.7"};
    request.headers = {{"authorization", "Bearer " + key}};
    EXPECT_EQ(access.admit(request, api::Scope::search).name, "key:shop");
    EXPECT_THROW(access.admit(request, api::Scope::admin), api::AccessDenied);
    keys_.mark_used(access.take_used_keys());
    EXPECT_TRUE(keys_.list()[0].last_used_at);
    keys_.revoke("shop");
    access.replace_keys(keys_.list());
    EXPECT_THROW(access.admit(request, api::Scope::search), api::AccessDenied);
}

TEST_F(ApiKeysTest, SurviveTheMigrationAppliedAgain) {
    keys_.create({.name = "shop", .scopes = {"search"}});
    ASSERT_EQ(with_.psql_file("005_api_keys.sql").exit_code, 0);
    EXPECT_EQ(keys_.list().size(), 1U);
    ASSERT_EQ(with_.psql_file("005_api_keys.down.sql").exit_code, 0);
    ASSERT_EQ(with_.psql_file("005_api_keys.down.sql").exit_code, 0);
    EXPECT_THAT(keys_.list(), IsEmpty());
    EXPECT_EQ(with_.decant().run({"schema", "status"}).exit_code, 1) << "it is missed";
    EXPECT_EQ(with_.decant().run({"schema", "up"}).exit_code, 0);
}

TEST(NoApiKeys, AreThereBeforeTheMigration) {
    const test::SchemaCase with{test::ThrowawayCluster::shared().create_database()};
    pg::Connection db = with.open();
    EXPECT_THAT(ApiKeys{db}.list(), IsEmpty());
    const test::Outcome created = with.decant().run({"key", "create", "--name", "shop", "--scope", "chat"});
    EXPECT_EQ(created.exit_code, 65) << created.told();
    EXPECT_THAT(created.err, HasSubstr("decant schema up"));
}

}  // namespace
}  // namespace decant::store
