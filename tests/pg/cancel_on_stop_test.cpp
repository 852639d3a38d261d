#include "pg/cancel_on_stop.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "core/error.hpp"
#include "pg/cut_on_stop.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/throwaway_cluster.hpp"

namespace decant::pg {
namespace {

using namespace std::chrono_literals;

class CancelOnStopTest : public testing::Test {
protected:
    bool is_cancelled(const std::string& sql) {
        try {
            db_.exec(sql);
        } catch (const Error&) {
            return true;
        }
        return false;
    }
    std::string conninfo_ = test::ThrowawayCluster::shared().create_database();
    Connection db_ = Connection::open(conninfo_);
    std::stop_source stop_;
};

TEST_F(CancelOnStopTest, EndsAStatementThatRunsAndThoseThatFollow) {
    const CancelOnStop cancel{db_, stop_.get_token()};
    std::jthread stopper{[&] {
        Connection other = Connection::open(conninfo_);
        const std::string running = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND pid = " +
                                    std::to_string(db_.backend_pid());
        EXPECT_TRUE(test::eventually(10s, [&] { return other.exec(running).text(0, 0) == "1"; }));
        stop_.request_stop();
    }};
    const auto start = std::chrono::steady_clock::now();
    EXPECT_TRUE(is_cancelled("SELECT pg_sleep(60)"));
    EXPECT_TRUE(is_cancelled("SELECT pg_sleep(60)"));
    EXPECT_LT(std::chrono::steady_clock::now() - start, 10s);
}

TEST_F(CancelOnStopTest, LeavesTheConnectionAloneOnceItIsGone) {
    {
        stop_.request_stop();
        const CancelOnStop cancel{db_, stop_.get_token()};
        EXPECT_TRUE(is_cancelled("SELECT pg_sleep(60)"));
    }
    EXPECT_FALSE(is_cancelled("SELECT pg_sleep(0.2)"));
}

TEST_F(CancelOnStopTest, DoesNothingUnlessItIsAskedTo) {
    const CancelOnStop cancel{db_, stop_.get_token()};
    EXPECT_FALSE(is_cancelled("SELECT pg_sleep(0.2)"));
}

TEST(CutOnStopTest, EndsAStatementAtOnceWithoutTheServer) {
    const std::string conninfo = test::ThrowawayCluster::shared().create_database();
    Connection db = Connection::open(conninfo);
    std::stop_source stop;
    const CutOnStop cut{db, stop.get_token()};
    std::jthread stopper{[&] {
        Connection other = Connection::open(conninfo);
        const std::string running = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND pid = " +
                                    std::to_string(db.backend_pid());
        EXPECT_TRUE(test::eventually(10s, [&] { return other.exec(running).text(0, 0) == "1"; }));
        stop.request_stop();
    }};
    try {
        db.exec("SELECT pg_sleep(60)");
        ADD_FAILURE() << "it was not ended";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::store_unavailable) << error.happened();
    }
}

}  // namespace
}  // namespace decant::pg
