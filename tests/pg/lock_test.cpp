#include <signal.h>
#include <unistd.h>

#include <array>

#include "tests/support/copy_case.hpp"
#include "tests/support/eventually.hpp"

namespace decant::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

std::string host_name() {
    std::array<char, 256> name{};
    ::gethostname(name.data(), name.size() - 1);
    return name.data();
}

/// A copy that stands still with its lock held, its second page not yet begun.
class HeldCopy {
public:
    explicit HeldCopy(CopyCase& with) : blocker_(with.open()) {
        with.source().put_samples(0, 400);
        with.copied({"--index", "none"});
        with.source().put_samples(0, 400, 1);
        blocker_.exec("BEGIN; SELECT * FROM products WHERE id = 'record-000150' FOR UPDATE");
        running_.emplace(with.decant().start(with.copy_arguments({"--index", "none", "--batch-size", "100"})));
        auto watcher = with.open();
        is_waiting_ = eventually(10s, [&] {
            return watcher
                       .exec(
                           "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = "
                           "'Lock' AND query ~ 'UPDATE'")
                       .rows() > 0;
        });
    }

    bool is_waiting() const { return is_waiting_; }
    RunningDecant& running() { return *running_; }
    void release() { blocker_.exec("ROLLBACK"); }

private:
    pg::Connection blocker_;
    std::optional<RunningDecant> running_;
    bool is_waiting_ = false;
};

TEST(Copy, M3_SecondMigratorIsRefusedNamingTheHolder) {
    CopyCase with;
    HeldCopy first{with};
    ASSERT_TRUE(first.is_waiting()) << first.running().err();
    const std::string before = with.content();
    const Outcome second = with.copy();
    EXPECT_EQ(second.exit_code, 75) << second.told();
    EXPECT_LE(second.seconds, 1.0);
    EXPECT_THAT(second.err, HasSubstr("busy"));
    EXPECT_THAT(second.err, HasSubstr("pid " + std::to_string(first.running().pid()) + " on " + host_name()));
    EXPECT_EQ(with.content(), before);
    first.release();
    EXPECT_EQ(first.running().wait().exit_code, 0);
    EXPECT_EQ(with.verify("source").exit_code, 0);
}

TEST(Copy, M3_TheLockEndsWithAKilledMigrator) {
    CopyCase with;
    HeldCopy first{with};
    ASSERT_TRUE(first.is_waiting()) << first.running().err();
    first.running().signal(SIGKILL);
    first.running().wait();
    first.release();
    const auto report = with.copied({"--index", "none"});
    EXPECT_TRUE(report.at("resumed").as_bool());
    EXPECT_EQ(count_of(report, "updated"), 400U);
}

TEST(Copy, M3_RollbackIsRefusedWhileACopyIsUnderWay) {
    CopyCase with;
    with.source().put_samples(0, 10);
    with.exec("CREATE TABLE products AS SELECT 'x' AS id");
    with.copied({"--replace", "--index", "none"});
    HeldCopy first{with};
    ASSERT_TRUE(first.is_waiting()) << first.running().err();
    const Outcome refused = with.decant().run({"rollback", "products"});
    EXPECT_EQ(refused.exit_code, 75) << refused.told();
    EXPECT_THAT(refused.err, HasSubstr("busy"));
    first.release();
    EXPECT_EQ(first.running().wait().exit_code, 0);
}

TEST(Copy, M3_CopiesIntoOtherTablesGoOnBesideIt) {
    CopyCase with;
    HeldCopy first{with};
    ASSERT_TRUE(first.is_waiting()) << first.running().err();
    with.copied({"--to", "beside", "--index", "none"});
    first.release();
    EXPECT_EQ(first.running().wait().exit_code, 0);
}

}  // namespace
}  // namespace decant::test
