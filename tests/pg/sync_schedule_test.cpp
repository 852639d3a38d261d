#include "sync/schedule.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "tests/support/schema_case.hpp"

namespace decant::sync {
namespace {

using testing::HasSubstr;

class SyncScheduleTest : public testing::Test {
protected:
    struct Run {
        std::string started;
        std::string ended = {};
        std::string state = "complete";
        std::string due = {};
        std::string scope = "full";
    };
    void put(const Run& run) {
        const auto given = [](const std::string& text) { return text.empty() ? std::nullopt : std::optional{text}; };
        db_.query(
            "INSERT INTO decant.sync_runs (source, origin, scope, state, token, started_at, ended_at, due_at) "
            "VALUES ('dux', '', $5, $1, '', $2, $3, $4)",
            {run.state, run.started, given(run.ended), given(run.due), run.scope});
    }
    Outlook at(const std::string& now) { return look_ahead(db_, schedule_, now); }

    /// How many syncs begin in the span by a clock that is asked every ten minutes; each ends at once.
    std::vector<std::string> begun(const std::string& from, int hours) {
        std::vector<std::string> times;
        for (int minute = 0; minute < hours * 60; minute += 10) {
            const std::string now{
                db_.query("SELECT $1::timestamptz + make_interval(mins => $2)", {from, std::to_string(minute)})
                    .text(0, 0)};
            const Outlook outlook = at(now);
            if (!outlook.due) continue;
            put({.started = now, .ended = now, .due = *outlook.due});
            times.push_back(*outlook.due);
        }
        return times;
    }

    test::SchemaCase with_;
    pg::Connection db_ = with_.open();
    Schedule schedule_{.hours = {2, 14}, .zone = "America/New_York", .patience = std::chrono::hours{24}};
};

TEST_F(SyncScheduleTest, HasTheLastHourDueUntilASyncRanSince) {
    put({.started = "2026-06-01T06:00:00Z", .ended = "2026-06-01T06:30:00Z"});
    EXPECT_EQ(at("2026-06-01T17:59:59Z").due, std::nullopt);
    EXPECT_EQ(at("2026-06-01T17:59:59Z").next, "2026-06-01T18:00:00Z");
    EXPECT_EQ(at("2026-06-01T17:59:59Z").until_next, std::chrono::seconds{1});
    EXPECT_EQ(at("2026-06-01T18:00:00Z").due, "2026-06-01T18:00:00Z");
    EXPECT_EQ(at("2026-06-01T18:00:00Z").next, "2026-06-02T06:00:00Z");
    EXPECT_EQ(at("2026-06-02T03:00:00Z").due, "2026-06-01T18:00:00Z") << "nobody was there at the time";
    put({.started = "2026-06-01T18:00:01Z", .state = "failed", .due = "2026-06-01T18:00:00Z"});
    EXPECT_EQ(at("2026-06-02T03:00:00Z").due, std::nullopt);
}

TEST_F(SyncScheduleTest, CountsARunThatWasUnderWayAtTheHour) {
    put({.started = "2026-06-01T05:50:00Z", .ended = "2026-06-01T06:20:00Z"});
    EXPECT_EQ(at("2026-06-01T06:30:00Z").due, std::nullopt);
}

TEST_F(SyncScheduleTest, J4_ComesOnceADayAndHourWhenTheClocksArePutForward) {
    EXPECT_THAT(begun("2026-03-07T18:30:00Z", 48),
                testing::ElementsAre("2026-03-07T07:00:00Z", "2026-03-07T19:00:00Z", "2026-03-08T07:00:00Z",
                                     "2026-03-08T18:00:00Z", "2026-03-09T06:00:00Z", "2026-03-09T18:00:00Z"));
}

TEST_F(SyncScheduleTest, J4_ComesOnceADayAndHourWhenTheClocksArePutBack) {
    schedule_.hours = {1};
    EXPECT_THAT(begun("2026-10-31T12:00:00Z", 48),
                testing::ElementsAre("2026-10-31T05:00:00Z", "2026-11-01T06:00:00Z", "2026-11-02T06:00:00Z"));
}

TEST_F(SyncScheduleTest, J4_KnowsLeapDays) {
    schedule_ = {.hours = {0}, .zone = "UTC", .patience = std::chrono::hours{24}};
    EXPECT_THAT(begun("2028-02-28T12:00:00Z", 48),
                testing::ElementsAre("2028-02-28T00:00:00Z", "2028-02-29T00:00:00Z", "2028-03-01T00:00:00Z"));
}

TEST_F(SyncScheduleTest, J4_RepeatsNothingWhenTheClockGoesBackAnHour) {
    put({.started = "2026-06-01T18:00:01Z", .ended = "2026-06-01T18:01:00Z", .due = "2026-06-01T18:00:00Z"});
    EXPECT_EQ(at("2026-06-01T17:05:00Z").due, std::nullopt);
    EXPECT_EQ(at("2026-06-01T18:05:00Z").due, std::nullopt);
}

TEST_F(SyncScheduleTest, IsOverdueWithoutACompleteSyncForTooLong) {
    EXPECT_TRUE(at("2026-06-01T12:00:00Z").is_overdue) << "there was none ever";
    put({.started = "2026-06-01T06:00:00Z", .ended = "2026-06-01T06:10:00Z"});
    EXPECT_FALSE(at("2026-06-02T06:10:00Z").is_overdue);
    EXPECT_TRUE(at("2026-06-02T06:10:01Z").is_overdue);
    put({.started = "2026-06-02T06:00:00Z", .ended = "2026-06-02T06:01:00Z", .state = "stopped"});
    EXPECT_FALSE(at("2026-06-02T07:01:00Z").is_overdue) << "it is tried once an hour";
    EXPECT_TRUE(at("2026-06-02T07:01:01Z").is_overdue);
    put({.started = "2026-06-02T08:00:00Z", .ended = "2026-06-02T08:01:00Z", .scope = "partial"});
    EXPECT_TRUE(at("2026-06-02T09:02:00Z").is_overdue) << "a few items are no catalog";
}

TEST_F(SyncScheduleTest, GoesOnWithARunThatWasKilledOrStoppedWithItsServer) {
    EXPECT_FALSE(at("2026-06-01T12:00:00Z").is_cut_short);
    put({.started = "2026-06-01T06:00:00Z", .state = "running", .due = "2026-06-01T06:00:00Z"});
    EXPECT_TRUE(at("2026-06-01T06:05:00Z").is_cut_short);
    EXPECT_FALSE(at("2026-06-02T06:00:00Z").is_cut_short) << "too old";
    with_.exec("UPDATE decant.sync_runs SET state = 'stopped', report = '{\"error\": {\"code\": \"cancelled\"}}'");
    EXPECT_TRUE(at("2026-06-01T06:05:00Z").is_cut_short);
    with_.exec("UPDATE decant.sync_runs SET due_at = NULL");
    EXPECT_FALSE(at("2026-06-01T06:05:00Z").is_cut_short) << "who began it may have meant it";
    with_.exec("UPDATE decant.sync_runs SET report = '{\"error\": {\"code\": \"timed_out\"}}'");
    EXPECT_TRUE(at("2026-06-01T06:05:00Z").is_cut_short) << "a deadlock passes";
    with_.exec("UPDATE decant.sync_runs SET report = '{\"error\": {\"code\": \"source_unavailable\"}}'");
    EXPECT_FALSE(at("2026-06-01T06:05:00Z").is_cut_short) << "the ERP is away for longer";
    put({.started = "2026-06-01T06:10:00Z", .ended = "2026-06-01T06:11:00Z"});
    EXPECT_FALSE(at("2026-06-01T06:15:00Z").is_cut_short);
}

TEST_F(SyncScheduleTest, RefusesAZoneThatPostgreSqlDoesNotKnow) {
    schedule_.zone = "America/Nowhere";
    try {
        at("2026-06-01T12:00:00Z");
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::config_invalid);
        EXPECT_THAT(error.happened(), HasSubstr("America/Nowhere"));
        EXPECT_THAT(error.remedy(), HasSubstr("DUX_SYNC_TIMEZONE"));
    }
}

}  // namespace
}  // namespace decant::sync
