// The rows of runs: who may end one, and what is shown of one whose process died.

#include "store/sync_store.hpp"

#include "core/error.hpp"
#include "tests/support/schema_case.hpp"

namespace decant::store {
namespace {

class SyncRuns : public testing::Test {
protected:
    std::int64_t begun(const std::string& token) {
        const auto run = store_.begin({.source = "dux", .origin = "test", .scope = "full"}, token, std::nullopt);
        store_.add_seen(*run, {"A-1", "A-2"});
        return *run;
    }
    std::string state() const { return with_.value("SELECT state FROM decant.sync_runs"); }
    std::string seen() const { return with_.value("SELECT count(*) FROM decant.sync_seen"); }

    test::SchemaCase with_;
    pg::Connection db_ = with_.open();
    SyncStore store_{db_};
};

TEST_F(SyncRuns, AreEndedByNobodyFromWhomTheyWereTakenOver) {
    const std::int64_t run = begun("first");
    store_.take_over(run, "second", "full");
    try {
        store_.finish(run, "first", "failed", {});
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::busy);
    }
    EXPECT_EQ(state(), "running");
    EXPECT_EQ(seen(), "2");
    store_.finish(run, "second", "complete", {});
    EXPECT_EQ(state(), "complete");
    EXPECT_EQ(seen(), "0");
}

TEST_F(SyncRuns, KeepWhatTheyHaveSeenWhereTheyAreGoneOnWith) {
    store_.finish(begun("mine"), "mine", "stopped", {});
    EXPECT_EQ(state(), "stopped");
    EXPECT_EQ(seen(), "2");
}

TEST_F(SyncRuns, AreInterruptedWhereNoSyncHoldsTheLock) {
    begun("mine");
    pg::Connection other = with_.open();
    pg::Transaction sync{other};
    other.exec(SyncStore::lock_sql);
    EXPECT_EQ(store_.runs(1).front().state, "running");
    sync.commit();
    EXPECT_EQ(store_.runs(1).front().state, "interrupted");
    EXPECT_EQ(state(), "running") << "the next sync goes on with it";
}

}  // namespace
}  // namespace decant::store
