// Syncs over HTTP: asked for, watched, ended.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/sync_store.hpp"
#include "tests/support/api_case.hpp"
#include "tests/support/dux_server.hpp"
#include "tests/support/dux_shop.hpp"
#include "tests/support/eventually.hpp"

namespace decant::api {
namespace {

using namespace std::chrono_literals;
using test::body_of;

const std::string status_path = "/api/v1/dux/sync/status";
const std::string force_path = "/api/v1/dux/sync/force";
const std::string cancel_path = "/api/v1/dux/sync/cancel";

class ApiSync : public testing::Test {
protected:
    ApiSync() { dux_.set_items(test::Shop{7, 120}.items()); }

    static Settings::Variables variables(const test::DuxServer& dux, const Settings::Variables& more) {
        Settings::Variables all{{"DECANT_RATE_MONITORING", "0"}};
        for (const std::string& pair : dux.environment())
            all[pair.substr(0, pair.find('='))] = pair.substr(pair.find('=') + 1);
        for (const auto& [key, value] : more)
            all[key] = value;
        return all;
    }
    static json::object status(const test::ApiCase& with) { return body_of(with.get(status_path)); }
    /// Of the newest run.
    static std::string state(const test::ApiCase& with) {
        const json::object answer = status(with);
        const json::array& runs = answer.at("runs").as_array();
        return runs.empty() ? "" : std::string{runs[0].at("state").as_string()};
    }

    test::DuxServer dux_;
};

TEST_F(ApiSync, BeginWhenTheyAreAskedForAndAreShown) {
    const test::ApiCase with{variables(dux_, {})};
    const json::object before = status(with);
    EXPECT_EQ(before.at("configured"), json::value(true));
    EXPECT_EQ(before.at("enabled"), json::value(false));
    EXPECT_EQ(before.at("runs"), json::array{});
    EXPECT_TRUE(before.at("next_sync_at").is_null());
    EXPECT_EQ(dux_.requests(), 0U) << "none begins by itself";
    const net::HttpResponse forced = with.post(force_path, "");
    EXPECT_EQ(forced.status, 202) << forced.body;
    EXPECT_TRUE(test::eventually(30s, [&] { return state(with) == "complete"; })) << json_text(status(with));
    const json::object after = status(with);
    EXPECT_EQ(after.at("runs").at(0).at("created"), json::value(120));
    EXPECT_EQ(after.at("runs").at(0).at("source"), "dux");
    EXPECT_FALSE(after.at("last_complete_at").is_null());
    EXPECT_THAT(dux_.violations(), testing::IsEmpty());
    EXPECT_EQ(with.catalog().value("SELECT count(*) FROM decant.sync_items"), "120");
}

TEST_F(ApiSync, AreOneAtATimeWhoeverBeganThem) {
    const test::ApiCase with{variables(dux_, {})};
    pg::Connection other = with.catalog().open();
    pg::Transaction lock{other};
    ASSERT_TRUE(other.exec(store::SyncStore::lock_sql).boolean(0, 0));
    EXPECT_EQ(status(with).at("running"), json::value(true));
    EXPECT_EQ(with.post(force_path, "").status, 409);
    EXPECT_EQ(with.post(cancel_path, "").status, 404) << "there is no run to be ended";
    lock.commit();
    EXPECT_EQ(status(with).at("running"), json::value(false));
    with.catalog().exec("INSERT INTO decant.sync_runs (source, origin, scope, token) VALUES ('dux', '', 'full', 't')");
    EXPECT_EQ(with.post(cancel_path, "").status, 404) << "the process of that run is dead";
    EXPECT_EQ(with.post(force_path, R"({"full": true})").status, 202);
}

TEST_F(ApiSync, EndAfterTheirPageWhenThatIsAskedFor) {
    const test::ApiCase with{variables(dux_, {})};
    std::atomic<bool> may_go_on = false;
    dux_.watch([&](std::size_t offset) {
        if (offset > 0) test::eventually(20s, [&] { return may_go_on.load(); });
    });
    EXPECT_EQ(with.post(force_path, "").status, 202);
    EXPECT_TRUE(test::eventually(20s, [&] { return with.post(cancel_path, "").status == 202; }));
    may_go_on = true;
    EXPECT_TRUE(test::eventually(20s, [&] { return state(with) == "cancelled"; })) << json_text(status(with));
}

TEST_F(ApiSync, BeginByThemselvesWhereTheyAreEnabled) {
    const test::ApiCase with{variables(
        dux_, {{"DUX_SYNC_ENABLED", "true"}, {"DUX_SYNC_HOURS", "[2, 14]"}, {"DUX_SYNC_TIMEZONE", "Asia/Tokyo"}})};
    EXPECT_TRUE(test::eventually(30s, [&] { return state(with) == "complete"; })) << "there was none since the hour";
    const json::object answer = status(with);
    EXPECT_EQ(answer.at("enabled"), json::value(true));
    EXPECT_EQ(answer.at("hours"), (json::array{"02:00", "14:00"}));
    EXPECT_EQ(answer.at("timezone"), "Asia/Tokyo");
    EXPECT_FALSE(answer.at("next_sync_at").is_null());
    EXPECT_EQ(with.catalog().value("SELECT extract(hour FROM due_at AT TIME ZONE 'Asia/Tokyo') IN (2, 14) "
                                   "FROM decant.sync_runs"),
              "t");
}

TEST(ApiSyncWithoutDux, IsRefusedWithWhatIsMissing) {
    const test::ApiCase with;
    const net::HttpResponse forced = with.post(force_path, "");
    EXPECT_EQ(forced.status, 409);
    EXPECT_THAT(forced.body, testing::HasSubstr("DUX_API_KEY"));
    EXPECT_EQ(body_of(with.get(status_path)).at("configured"), json::value(false));
}

}  // namespace
}  // namespace decant::api
