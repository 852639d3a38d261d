#include "sync/scheduler.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "core/error.hpp"
#include "pg/held_lock.hpp"
#include "store/sync_store.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/schema_case.hpp"

namespace decant::sync {
namespace {

using namespace std::chrono_literals;

/// What a process that keeps the schedule does.
class Keeper {
public:
    using Sync = std::function<void(const Scheduler::Wanted&, const std::stop_token&)>;

    Keeper(const test::SchemaCase& with, const std::optional<Schedule>& schedule, Sync sync)
        : scheduler_({.conninfo = with.decant().conninfo(),
                      .schedule = schedule,
                      .sync =
                          [this, sync = std::move(sync)](const Scheduler::Wanted& wanted, const std::stop_token& stop) {
                              ++begun_;
                              sync(wanted, stop);
                          },
                      .look_interval = 20ms}) {}

    Scheduler& scheduler() noexcept { return scheduler_; }
    int begun() const noexcept { return begun_; }

private:
    std::atomic<int> begun_ = 0;
    Scheduler scheduler_;
    std::jthread thread_{[this](const std::stop_token& stop) { scheduler_.run(stop); }};
};

class SyncSchedulerTest : public testing::Test {
protected:
    /// A run of the hour that it is for, which ends at once. False: there was one, or one is under way.
    bool run_of(const Scheduler::Wanted& wanted) const {
        const pg::HeldLock lock{with_.decant().conninfo(), store::SyncStore::lock_sql};
        if (!lock.is_held()) return false;
        pg::Connection db = with_.open();
        store::SyncStore store{db};
        const auto id = store.begin({.source = "dux", .origin = "test", .scope = "full"}, "t", wanted.due);
        if (id) store.finish(*id, "t", "complete", {});
        return id.has_value();
    }
    int rows() const { return std::stoi(with_.value("SELECT count(*) FROM decant.sync_runs")); }

    test::SchemaCase with_;
    Schedule every_hour_{
        .hours = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23},
        .zone = "UTC",
        .patience = std::chrono::hours{24}};
};

TEST_F(SyncSchedulerTest, S4_BeginsOneSyncOfAnHourWhereTwoServersKeepIt) {
    std::atomic<int> arrived = 0;
    const auto sync = [&](const Scheduler::Wanted& wanted, const std::stop_token&) {
        ++arrived;
        test::eventually(5s, [&] { return arrived >= 2; });  // both saw it due
        run_of(wanted);
    };
    Keeper one{with_, every_hour_, sync};
    Keeper other{with_, every_hour_, sync};
    EXPECT_TRUE(test::eventually(20s, [&] { return one.begun() + other.begun() >= 2 && rows() > 0; }));
    EXPECT_FALSE(test::eventually(500ms, [&] { return rows() > 1; }));
    EXPECT_EQ(with_.value("SELECT due_at = date_trunc('hour', due_at) FROM decant.sync_runs"), "t");
}

TEST_F(SyncSchedulerTest, LeavesOutAnHourWhoseSyncCouldNotBegin) {
    Keeper keeper{with_, every_hour_, [](const Scheduler::Wanted&, const std::stop_token&) {
                      throw Error{ErrorCode::busy, "Another sync is running", ""};
                  }};
    EXPECT_TRUE(test::eventually(10s, [&] { return keeper.begun() >= 1; }));
    EXPECT_FALSE(test::eventually(500ms, [&] { return keeper.begun() > 2; })) << "for the hour, and as overdue";
}

TEST_F(SyncSchedulerTest, ComesBackNoMoreThanOnceALookToADatabaseThatTakesNoWrites) {
    Keeper keeper{with_, every_hour_, [](const Scheduler::Wanted&, const std::stop_token&) {
                      throw Error{ErrorCode::store_unavailable, "cannot execute UPDATE in a read-only transaction", ""};
                  }};
    const auto start = std::chrono::steady_clock::now();
    EXPECT_TRUE(test::eventually(20s, [&] { return keeper.begun() >= 5; })) << "it is tried again";
    keeper.scheduler().ask(false);
    EXPECT_TRUE(test::eventually(20s, [&] { return keeper.begun() >= 10; }));
    const auto looks = (std::chrono::steady_clock::now() - start) / 20ms;
    EXPECT_LE(keeper.begun(), looks + 2);
}

TEST_F(SyncSchedulerTest, GoesOnAtOnceWithWhatWasKilledAndNotWithWhatRunsOn) {
    with_.exec("INSERT INTO decant.sync_runs (source, origin, scope, token) VALUES ('dux', 'test', 'full', 't')");
    const auto sync = [&](const Scheduler::Wanted&, const std::stop_token&) {
        with_.exec("UPDATE decant.sync_runs SET state = 'complete', ended_at = now()");
    };
    pg::Connection runs = with_.open();
    pg::Transaction lock{runs};
    ASSERT_TRUE(runs.exec(store::SyncStore::lock_sql).boolean(0, 0));
    Keeper keeper{with_, every_hour_, sync};
    EXPECT_FALSE(test::eventually(500ms, [&] { return keeper.begun() > 0; })) << "it runs on";
    lock.commit();  // its process died
    EXPECT_TRUE(test::eventually(10s, [&] { return keeper.begun() == 1; }));
    EXPECT_FALSE(test::eventually(300ms, [&] { return keeper.begun() > 1; }));
}

TEST_F(SyncSchedulerTest, BeginsWhatIsAskedForOnceAtATime) {
    std::atomic<bool> may_end = false;
    std::atomic<bool> was_full = false;
    Keeper keeper{with_, std::nullopt, [&](const Scheduler::Wanted& wanted, const std::stop_token&) {
                      was_full = wanted.is_full;
                      test::eventually(10s, [&] { return may_end.load(); });
                  }};
    EXPECT_TRUE(keeper.scheduler().ask(true));
    EXPECT_TRUE(test::eventually(10s, [&] { return keeper.begun() == 1; }));
    EXPECT_FALSE(keeper.scheduler().ask(false)) << "one is under way";
    may_end = true;
    EXPECT_TRUE(test::eventually(10s, [&] { return keeper.scheduler().ask(false); }));
    EXPECT_TRUE(test::eventually(10s, [&] { return keeper.begun() == 2; }));
    EXPECT_FALSE(was_full);
}

}  // namespace
}  // namespace decant::sync
