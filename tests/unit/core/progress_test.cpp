#include "core/progress.hpp"

#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace decant {
namespace {

using namespace std::chrono_literals;

/// Collects what a meter writes, with a clock that the test moves.
class ProgressTest : public testing::Test {
protected:
    ProgressOutput output(bool is_terminal, std::size_t columns = 80) {
        return {.is_terminal = is_terminal,
                .has_color = false,
                .columns = columns,
                .write = [this](const std::string& text) { written_.push_back(text); },
                .now = [this] { return now_; }};
    }

    std::chrono::steady_clock::time_point now_{};
    std::vector<std::string> written_;
};

TEST_F(ProgressTest, WritesALineEveryFiveSecondsWithoutATerminal) {
    Progress progress{"copy", "rows", output(false)};
    now_ += 4s;
    progress.update(4000, 20000, 8'000'000);
    EXPECT_TRUE(written_.empty());
    now_ += 1s;
    progress.update(5000, 20000, 10'000'000);
    progress.update(5001, 20000, 10'000'000);
    EXPECT_THAT(written_, testing::ElementsAre("copy   25 %  5,000/20,000 rows  1,000 rows/s  2.00 MB/s  ETA 0:15\n"));
}

TEST_F(ProgressTest, WritesNothingForAShortPhaseWithoutATerminal) {
    Progress progress{"copy", "rows", output(false)};
    progress.update(1, 2);
    now_ += 900ms;
    progress.update(2, 2);
    progress.finish();
    EXPECT_TRUE(written_.empty());
}

TEST_F(ProgressTest, RedrawsOneLineOnATerminalAndEndsIt) {
    Progress progress{"index", "tuples", output(true)};
    now_ += 200ms;
    progress.update(50, 100);
    progress.update(60, 100);
    progress.finish();
    progress.update(70, 100);
    EXPECT_THAT(written_, testing::ElementsAre("\r\x1b[Kindex   50 %  50/100 tuples  250 tuples/s  ETA 0:00",
                                               "\r\x1b[Kindex   60 %  60/100 tuples  300 tuples/s  ETA 0:00", "\n"));
}

TEST_F(ProgressTest, DrawsABarWhereThereIsRoom) {
    Progress progress{"copy", "rows", output(true, 120)};
    now_ += 1s;
    progress.update(1, 2);
    ASSERT_EQ(written_.size(), 1U);
    EXPECT_THAT(written_[0], testing::StartsWith("\r\x1b[K[############............]  copy   50 %"));
}

TEST_F(ProgressTest, NeverFillsTheLineOfANarrowTerminal) {
    Progress progress{"copy", "rows", output(true, 20)};
    now_ += 1s;
    progress.update(1'000'000, 2'000'000, 1'000'000'000);
    EXPECT_EQ(written_.at(0).size(), std::string{"\r\x1b[K"}.size() + 19);
}

TEST_F(ProgressTest, ShowsNoShareOfAnUnknownTotal) {
    Progress progress{"read", "rows", output(false)};
    now_ += 10s;
    progress.update(100, 0);
    EXPECT_THAT(written_, testing::ElementsAre("read  100 rows  10 rows/s\n"));
}

TEST_F(ProgressTest, TakesUpdatesFromManyThreads) {
    Progress progress{"copy", "rows", output(false)};
    now_ += 5s;
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 4; ++i) {
            threads.emplace_back([&progress] {
                for (std::uint64_t done = 0; done < 1000; ++done)
                    progress.update(done, 1000);
            });
        }
    }
    EXPECT_EQ(written_.size(), 1U);
}

}  // namespace
}  // namespace decant
