#include <fmt/format.h>

#include <future>
#include <optional>
#include <string>

#include "tests/support/copy_case.hpp"
#include "tests/support/eventually.hpp"

namespace decant::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr const char* waiting_sql =
    "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query ~ '{}'";

int tries_in(const std::string& err) {
    int tries = 1;
    for (std::size_t at = 0; (at = err.find("trying again", at)) != std::string::npos; ++at)
        ++tries;
    return tries;
}

/// 300 rows to update, one of the second page locked by somebody else.
class Retry : public testing::Test {
protected:
    Retry() {
        with_.source().put_samples(0, 300);
        with_.copied({"--index", "none"});
        with_.source().put_samples(0, 300, 1);
        blocker_.emplace(with_.open());
        blocker_->exec("BEGIN; SELECT * FROM products WHERE id = 'record-000150' FOR UPDATE");
    }
    void set_in_database(const std::string& setting) {
        with_.exec(fmt::format("ALTER DATABASE {} SET {}", with_.value("SELECT current_database()"), setting));
    }
    RunningDecant start() {
        return with_.decant().start(with_.copy_arguments({"--index", "none", "--batch-size", "100"}));
    }
    bool is_waiting(const std::string& what) {
        auto watcher = with_.open();
        return eventually(10s, [&] { return watcher.exec(fmt::format(waiting_sql, what)).rows() > 0; });
    }
    /// Ends every connection of the running copy on the server's side.
    void terminate_copy() {
        with_.exec(
            fmt::format("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
                        "AND pid NOT IN (pg_backend_pid(), {})",
                        blocker_->backend_pid()));
    }
    void expect_whole(RunningDecant& running) {
        const Outcome outcome = running.wait();
        EXPECT_EQ(outcome.exit_code, 0) << outcome.told();
        EXPECT_GE(tries_in(outcome.err), 2) << outcome.told();
        EXPECT_EQ(count_of(outcome.json().as_object(), "updated"), 300U);
        EXPECT_EQ(with_.verify("source").exit_code, 0);
    }
    /// Lets go once the copy has said so often that it tries again.
    void release_after(RunningDecant& running, int tries) {
        EXPECT_TRUE(eventually(20s, [&] { return tries_in(running.err()) > tries; })) << running.err();
        blocker_->exec("ROLLBACK");
    }

    CopyCase with_;
    std::optional<pg::Connection> blocker_;
};

TEST_F(Retry, M9_GoesOnAfterALockTimeout) {
    set_in_database("lock_timeout = '50ms'");
    RunningDecant running = start();
    release_after(running, 1);
    expect_whole(running);
}

TEST_F(Retry, M9_GoesOnAfterAStatementTimeout) {
    set_in_database("statement_timeout = '200ms'");
    RunningDecant running = start();
    release_after(running, 1);
    expect_whole(running);
}

TEST_F(Retry, M9_GivesUpAfterFiveTriesShowingTheReason) {
    set_in_database("lock_timeout = '20ms'");
    RunningDecant running = start();
    const Outcome outcome = running.wait();
    EXPECT_EQ(outcome.exit_code, 75) << outcome.told();
    EXPECT_EQ(tries_in(outcome.err), 5) << outcome.told();
    EXPECT_THAT(outcome.err, HasSubstr("canceling statement due to lock timeout (55P03)"));
    EXPECT_EQ(with_.value("SELECT count(*) FROM products WHERE metadata->>'version' = '1'"), "100");
    blocker_->exec("ROLLBACK");
    RunningDecant again = start();
    const Outcome resumed = again.wait();
    EXPECT_EQ(resumed.exit_code, 0) << resumed.told();
    EXPECT_EQ(count_of(resumed.json().as_object(), "updated"), 300U);
}

TEST_F(Retry, M9_GoesOnAfterADeadlock) {
    set_in_database("deadlock_timeout = '50ms'");
    RunningDecant running = start();
    ASSERT_TRUE(is_waiting("UPDATE .*products")) << running.err();
    // The copy holds rows of products and will ask for its run's; this one holds that and asks for a row of products.
    auto other = with_.open();
    other.exec("SET deadlock_timeout = '1min'; BEGIN; SELECT * FROM decant.runs FOR UPDATE");
    blocker_->exec("ROLLBACK");
    ASSERT_TRUE(is_waiting("decant.runs")) << running.err();
    auto blocked = std::async(std::launch::async, [&] {
        other.exec("UPDATE products SET document = document WHERE id = 'record-000150'; ROLLBACK");
    });
    blocked.get();
    expect_whole(running);
}

TEST_F(Retry, M9_GoesOnAfterASerializationFailure) {
    set_in_database("default_transaction_isolation = 'repeatable read'");
    blocker_->exec("UPDATE products SET document = 'written by another' WHERE id = 'record-000150'");
    RunningDecant running = start();
    ASSERT_TRUE(is_waiting("UPDATE .*products")) << running.err();
    blocker_->exec("COMMIT");
    expect_whole(running);
}

TEST_F(Retry, M9_DoesNotRetryWhatWillFailAgain) {
    blocker_->exec("ROLLBACK");
    with_.exec("ALTER TABLE products ADD CONSTRAINT no_new CHECK (document !~ 'version 1')");
    RunningDecant running = start();
    const Outcome outcome = running.wait();
    EXPECT_EQ(outcome.exit_code, 65) << outcome.told();
    EXPECT_EQ(tries_in(outcome.err), 1);
    EXPECT_THAT(outcome.err, HasSubstr("no_new"));
}

TEST_F(Retry, M4_GoesOnWhenItsConnectionsAreTerminated) {
    RunningDecant running = start();
    ASSERT_TRUE(is_waiting("UPDATE .*products")) << running.err();
    terminate_copy();
    release_after(running, 1);
    expect_whole(running);
}

TEST_F(Retry, M5_WaitsWhileTheServerIsReadOnly) {
    RunningDecant running = start();
    ASSERT_TRUE(is_waiting("UPDATE .*products")) << running.err();
    set_in_database("default_transaction_read_only = on");
    terminate_copy();
    blocker_->exec("ROLLBACK");
    EXPECT_TRUE(eventually(10s, [&] { return running.err().find("takes no writes") != std::string::npos; }));
    auto db = with_.open();
    db.exec(fmt::format("SET transaction_read_only = off; ALTER DATABASE {} RESET default_transaction_read_only",
                        db.database()));
    expect_whole(running);
}

}  // namespace
}  // namespace decant::test
