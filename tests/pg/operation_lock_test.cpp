// One exclusive operation at a time.

#include "operate/operation_lock.hpp"

#include <gmock/gmock.h>

#include <optional>

#include "core/error.hpp"
#include "tests/support/schema_case.hpp"

namespace decant::test {
namespace {

using operate::OperationLock;
using testing::HasSubstr;

TEST(OperationLock, KeepsASecondOperationOffAndNamesTheFirst) {
    const std::string database = ThrowawayCluster::shared().create_database();
    std::optional<OperationLock> first;
    first.emplace(database, "reindex");
    try {
        const OperationLock second{database, "maintain"};
        FAIL() << "two at once";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::busy);
        EXPECT_THAT(error.happened(), testing::AllOf(HasSubstr("`decant reindex`, begun "), HasSubstr("maintain may")));
    }
    first.reset();
    EXPECT_NO_THROW(OperationLock(database, "maintain"));
}

TEST(OperationLock, IsEachDatabasesOwn) {
    const OperationLock one{ThrowawayCluster::shared().create_database(), "reindex"};
    EXPECT_NO_THROW(OperationLock(ThrowawayCluster::shared().create_database(), "reindex"));
}

TEST(OperationLock, HoldsNoSnapshotThatAConcurrentIndexBuildWouldWaitFor) {
    const std::string database = ThrowawayCluster::shared().create_database();
    const OperationLock lock{database, "reindex"};
    pg::Connection db = pg::Connection::open(database);
    db.exec("CREATE TABLE t (a int)");
    db.exec("SET statement_timeout = '20s'");
    EXPECT_NO_THROW(db.exec("CREATE INDEX CONCURRENTLY ON t (a)"));
}

}  // namespace
}  // namespace decant::test
