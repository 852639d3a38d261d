#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "pg/binary_row.hpp"
#include "pg/connection.hpp"
#include "tests/support/pg_bouncer.hpp"
#include "tests/support/schema_case.hpp"

namespace decant::pg {
namespace {

using testing::HasSubstr;

class Batch : public testing::Test {
protected:
    static std::string prepared(Connection& db) {
        return std::string{db.exec("SELECT count(*) FROM pg_prepared_statements").text(0, 0)};
    }

    std::string conninfo_ = test::ThrowawayCluster::shared().create_database();
    Connection db_ = Connection::open(conninfo_);
};

TEST_F(Batch, GivesTheRowsOfEachStatementInTheirOrder) {
    const std::string vector = "\x40\x49\x0f\xdb";  // float4 3.1415927
    const std::vector<Statement> statements{{.sql = "SELECT $1::text, $2::text", .params = {"a", std::nullopt}},
                                            {.sql = "CREATE TEMP TABLE t (n int)"},
                                            {.sql = "INSERT INTO t SELECT generate_series(1, 3)"},
                                            {.sql = "SELECT n, $1::float4 FROM t", .binary = &vector}};
    const std::vector<Result> results = db_.run_batch(statements);
    ASSERT_EQ(results.size(), 4U);
    EXPECT_EQ(results[0].text(0, 0), "a");
    EXPECT_TRUE(results[0].is_null(0, 1));
    EXPECT_EQ(results[2].affected(), 3U);
    EXPECT_EQ(results[3].rows(), 3);
    EXPECT_EQ(results[3].text(2, 1), "3.1415927");
}

TEST_F(Batch, KeepsNoMorePlansThanASessionCanHold) {
    const auto ask = [&](int form) {
        const std::vector<Statement> statements{{.sql = "SELECT $1::int", .params = {"7"}},
                                                {.sql = "SELECT " + std::to_string(form)}};
        return std::string{db_.run_batch(statements)[1].text(0, 0)};
    };
    for (int form = 0; form < 500; ++form)
        ASSERT_EQ(ask(form), std::to_string(form));
    EXPECT_LE(std::stoi(prepared(db_)), 202);
    EXPECT_GT(std::stoi(prepared(db_)), 1);
    EXPECT_EQ(ask(0), "0");
}

TEST_F(Batch, SetsForTheStatementsAfterItAndNotForTheNextBatch) {
    const std::vector<Statement> statements{{.sql = "SELECT set_config('work_mem', '123kB', true)"},
                                            {.sql = "SHOW work_mem"}};
    EXPECT_EQ(db_.run_batch(statements)[1].text(0, 0), "123kB");
    EXPECT_NE(db_.exec("SHOW work_mem").text(0, 0), "123kB");
}

TEST_F(Batch, PreparesAStatementOnceAConnection) {
    const std::vector<Statement> twice{{.sql = "SELECT $1::int + 1", .params = {"1"}},
                                       {.sql = "SELECT $1::int + 1", .params = {"2"}}};
    db_.run_batch(twice);
    EXPECT_EQ(db_.run_batch(twice)[1].text(0, 0), "3");
    EXPECT_EQ(prepared(db_), "1");
}

TEST_F(Batch, UndoesAllAndThrowsTheFirstFailureAndGoesOnAfterIt) {
    db_.exec("CREATE TABLE kept (n int)");
    const std::vector<Statement> statements{{.sql = "INSERT INTO kept VALUES (1)"},
                                            {.sql = "SELECT 1 / $1::int", .params = {"0"}},
                                            {.sql = "SELECT * FROM nowhere"}};
    for (int time = 0; time < 2; ++time) {
        try {
            db_.run_batch(statements);
            FAIL() << "no failure";
        } catch (const Error& error) {
            EXPECT_THAT(error.happened(), HasSubstr("division by zero"));
        }
    }
    EXPECT_EQ(db_.exec("SELECT count(*) FROM kept").text(0, 0), "0");
    EXPECT_EQ(prepared(db_), "2");
    const std::vector<Statement> good{{.sql = "SELECT 1 / $1::int", .params = {"1"}}};
    EXPECT_EQ(db_.run_batch(good)[0].text(0, 0), "1");
}

TEST_F(Batch, IsStoreUnavailableWhereTheConnectionBreaks) {
    Connection::open(conninfo_).query("SELECT pg_terminate_backend($1::int)", {std::to_string(db_.backend_pid())});
    const std::vector<Statement> statements{{.sql = "SELECT 1"}};
    try {
        db_.run_batch(statements);
        FAIL() << "no failure";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::store_unavailable);
    }
}

TEST(BatchOfALostServer, IsStoreUnavailableAfterAnImmediateShutdown) {
    test::ThrowawayCluster cluster;
    Connection db = Connection::open(cluster.conninfo());
    const std::vector<Statement> statements{{.sql = "SELECT 1"}, {.sql = "SELECT 2"}};
    db.run_batch(statements);
    cluster.restart(test::ThrowawayCluster::Stop::immediate);
    try {
        db.run_batch(statements);
        FAIL() << "no error";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::store_unavailable) << error.happened();
    }
}

TEST_F(Batch, WorksBehindPgBouncerWhereEveryTransactionMayHaveAnotherSession) {
    const test::PgBouncer bouncer{test::ThrowawayCluster::shared()};
    const std::string pooled = bouncer.conninfo(test::database_of(conninfo_));
    Connection first = Connection::open(pooled);
    Connection second = Connection::open(pooled);
    for (int round = 0; round < 4; ++round) {
        for (Connection* db : {&first, &second}) {
            const std::vector<Statement> statements{{.sql = "SELECT $1::int * 2", .params = {std::to_string(round)}}};
            EXPECT_EQ(db->run_batch(statements)[0].integer(0, 0), 2 * round);
        }
        // The other session of the pool serves the next transaction of the second connection.
        first.exec("BEGIN");
        const std::vector<Statement> statements{{.sql = "SELECT $1::int * 2", .params = {"21"}}};
        EXPECT_EQ(second.run_batch(statements)[0].integer(0, 0), 42);
        first.exec("COMMIT");
    }
}

}  // namespace
}  // namespace decant::pg
