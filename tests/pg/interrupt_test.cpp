#include <signal.h>

#include <ostream>

#include "tests/support/copy_case.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/slow_pages.hpp"

namespace decant::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

struct Interruption {
    int signal;
    int exit_code;
    const char* name;
};

void PrintTo(const Interruption& interruption, std::ostream* out) {
    *out << interruption.name;
}

class Interrupted : public testing::TestWithParam<Interruption> {};

/// Stops a copy with some of its 100 pages committed: a trigger lets each page take a while.
Outcome interrupt(CopyCase& with, int signal) {
    with.source().put_samples(0, 1000);
    auto watcher = with.open();
    slow_down_pages(watcher, "0.01");
    RunningDecant running = with.decant().start(with.copy_arguments({"--batch-size", "10", "--index", "none"}));
    eventually(10s, [&] { return running.has_ended() || pages_committed(watcher) > 3; });
    running.signal(signal);
    return running.wait();
}

TEST_P(Interrupted, StopsAtAPageEdgeSayingHowToGoOnAndGoesOn) {
    CopyCase with;
    const Outcome stopped = interrupt(with, GetParam().signal);
    EXPECT_EQ(stopped.exit_code, GetParam().exit_code) << stopped.told();
    EXPECT_THAT(stopped.err, HasSubstr("cancelled"));
    EXPECT_THAT(stopped.err,
                HasSubstr("decant copy --from " + with.source().path().string() + " --collection products"));
    const std::int64_t rows = std::stoll(with.value("SELECT count(*) FROM products"));
    EXPECT_GT(rows, 0);
    EXPECT_LT(rows, 1000);
    EXPECT_EQ(rows % 10, 0);
    EXPECT_EQ(with.value("SELECT rows_read || ' ' || state FROM decant.runs"), std::to_string(rows) + " stopped");

    const auto report = with.copied({"--batch-size", "10", "--index", "none"});
    EXPECT_TRUE(report.at("resumed").as_bool());
    EXPECT_EQ(count_of(report, "read"), 1000U);
    EXPECT_EQ(with.value("SELECT count(*) FROM decant.runs"), "1");
}

INSTANTIATE_TEST_SUITE_P(Copy, Interrupted,
                         testing::Values(Interruption{SIGINT, 130, "SIGINT"}, Interruption{SIGTERM, 143, "SIGTERM"}),
                         [](const auto& instance) { return instance.param.name; });

TEST(Copy, StopsABuildOfTheIndexOnSigint) {
    CopyCase with;
    with.source().put_samples(0, 4000);
    RunningDecant running = with.decant().start(with.copy_arguments());
    auto watcher = with.open();
    ASSERT_TRUE(eventually(20s, [&] {
        return watcher.exec("SELECT FROM pg_stat_progress_create_index WHERE datname = current_database()").rows() > 0;
    }));
    running.signal(SIGINT);
    const Outcome stopped = running.wait();
    EXPECT_EQ(stopped.exit_code, 130) << stopped.told();
    EXPECT_EQ(with.value("SELECT count(*) FROM pg_index WHERE NOT indisvalid"), "0");
    const auto report = with.copied({"--index", "none"});
    EXPECT_TRUE(report.at("resumed").as_bool());
    EXPECT_EQ(count_of(report, "copied"), 4000U);
}

TEST(Copy, M2_DropsAnInvalidIndexThatAKilledBuildLeftAndBuildsItAgain) {
    CopyCase with;
    with.source().put_samples(0, 300);
    with.copied({"--index", "none"});
    with.exec(
        "CREATE INDEX leftover ON products USING hnsw (embedding vector_l2_ops); "
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'leftover'::regclass");
    const Outcome outcome = with.copy();
    EXPECT_EQ(outcome.exit_code, 0) << outcome.told();
    EXPECT_THAT(outcome.err, HasSubstr("Dropped index leftover"));
    EXPECT_EQ(with.value("SELECT count(*) FROM pg_index WHERE NOT indisvalid"), "0");
    EXPECT_EQ(with.value("SELECT indexname FROM pg_indexes WHERE indexdef ~ 'hnsw'"), "products_embedding_hnsw");
}

}  // namespace
}  // namespace decant::test
