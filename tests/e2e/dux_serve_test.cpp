// Syncs with DUX inside `decant serve`, which is killed or ended in the middle of one.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <csignal>

#include "tests/support/dux_case.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/serve_case.hpp"

namespace decant::test {
namespace {

using namespace std::chrono_literals;

class DuxServe : public testing::Test {
protected:
    DuxServe() {
        with_.shop().scan();
        with_.server().watch([this](std::size_t offset) {
            if (offset >= held_from) eventually(60s, [this] { return !is_held_; });
        });
    }
    ~DuxServe() override { is_held_ = false; }

    ServedDecant serve() const {
        return {with_.decant(),
                with_.environment({"DUX_SYNC_ENABLED=true", "DUX_SYNC_TIMEZONE=UTC", "DECANT_EMBEDDER=none"})};
    }
    std::string runs() const {
        return with_.value("SELECT coalesce(string_agg(state, ' ' ORDER BY id), '') FROM decant.sync_runs");
    }
    /// A part of the pages is in, and DUX answers no more.
    void wait_for_the_middle() const {
        EXPECT_TRUE(eventually(60s, [&] {
            return with_.value("SELECT count(*) FROM decant.sync_runs WHERE (cursor ->> 'offset')::int > 0") == "1";
        })) << runs();
    }
    void expect_gone_on_with() {
        is_held_ = false;
        const ServedDecant next = serve();
        EXPECT_TRUE(eventually(60s, [&] { return runs() == "complete"; })) << runs();
        EXPECT_EQ(difference(with_.rows(), with_.shop().rows()), "");
        EXPECT_EQ(std::ranges::count(with_.server().offsets(), std::size_t{0}), 1) << "it began anew";
        EXPECT_THAT(with_.server().violations(), testing::IsEmpty());
    }

    static constexpr std::size_t held_from = 140;
    std::atomic<bool> is_held_ = true;
    DuxCase with_{{.seed = 21, .articles = 300}};
};

TEST_F(DuxServe, S4_GoesOnWithASyncThatWasKilledWithItsServer) {
    {
        ServedDecant server = serve();
        wait_for_the_middle();
        server.process().signal(SIGKILL);
        server.process().wait();
    }
    EXPECT_EQ(runs(), "running");
    expect_gone_on_with();
}

TEST_F(DuxServe, S4_EndsAtOnceAndGoesOnWithItsSyncWhenItIsBack) {
    {
        ServedDecant server = serve();
        wait_for_the_middle();
        const auto start = std::chrono::steady_clock::now();
        server.process().signal(SIGTERM);
        const Outcome outcome = server.process().wait();
        EXPECT_EQ(outcome.exit_code, 0) << outcome.told();
        EXPECT_LT(std::chrono::steady_clock::now() - start, 8s);
    }
    EXPECT_EQ(runs(), "stopped");
    expect_gone_on_with();
}

TEST_F(DuxServe, KeepsTheHoursFromTheCommandLineToo) {
    is_held_ = false;
    RunningDecant daemon =
        with_.decant().start({"sync", "dux", "--daemon", "--json"}, with_.environment({"DUX_SYNC_TIMEZONE=UTC"}));
    EXPECT_TRUE(eventually(60s, [&] { return runs() == "complete"; })) << daemon.err();
    EXPECT_TRUE(eventually(10s, [&] { return daemon.out().find("\"created\":") != std::string::npos; }));
    daemon.signal(SIGTERM);
    const Outcome outcome = daemon.wait();
    EXPECT_EQ(outcome.exit_code, 0) << outcome.told();
    EXPECT_EQ(difference(with_.rows(), with_.shop().rows()), "");
}

}  // namespace
}  // namespace decant::test
