#include "work/breaker.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace decant::work {
namespace {

using namespace std::chrono_literals;

const Breaker::Time start{1'000h};

/// A breaker after this many failures in a row, all at `start`.
Breaker failed_breaker(int times, std::uint64_t seed = 1) {
    Breaker breaker{seed};
    for (int i = 0; i < times; ++i)
        breaker.failed(start);
    return breaker;
}

TEST(Backoff, IsARandomPartOfAPauseThatDoublesUpToAMost) {
    std::mt19937_64 random{7};
    for (int times = 0; times < 12; ++times) {
        const auto longest = std::min(200ms * (1 << times), 5'000ms);
        std::chrono::milliseconds least = longest;
        std::chrono::milliseconds most{};
        for (int i = 0; i < 200; ++i) {
            const auto pause = backoff(times, 200ms, 5s, random);
            EXPECT_GE(pause, longest / 2);
            EXPECT_LE(pause, longest);
            least = std::min(least, pause);
            most = std::max(most, pause);
        }
        EXPECT_GT(most - least, longest / 4) << times;
    }
}

TEST(Backoff, StaysWithinItsBoundsForAnyNumberOfTimes) {
    std::mt19937_64 random{7};
    EXPECT_LE(backoff(-3, 200ms, 5s, random), 200ms);
    for (const int times : {20, 31, 32, 64, 1'000'000})
        EXPECT_GE(backoff(times, 1s, 5min, random), 150s) << times;
}

TEST(Backoff, IsTheSameForTheSameSeedAndAnotherForAnother) {
    std::mt19937_64 one{3};
    std::mt19937_64 same{3};
    std::mt19937_64 other{4};
    const auto pause = backoff(8, 1s, 5min, one);
    EXPECT_EQ(pause, backoff(8, 1s, 5min, same));
    EXPECT_NE(pause, backoff(8, 1s, 5min, other));
}

TEST(Breaker, LetsACallThroughAtOnceAtTheStartAndAfterASuccess) {
    Breaker breaker{1};
    EXPECT_EQ(breaker.state(start), Breaker::State::closed);
    EXPECT_LE(breaker.next_try(), start);
    breaker.failed(start);
    EXPECT_GT(breaker.next_try(), start);
    breaker.succeeded();
    EXPECT_LE(breaker.next_try(), start);
}

TEST(Breaker, OpensAfterFiveFailuresInARowAndNotBefore) {
    EXPECT_EQ(failed_breaker(4).state(start), Breaker::State::closed);
    EXPECT_EQ(failed_breaker(5).state(start), Breaker::State::open);
    Breaker breaker = failed_breaker(4);
    breaker.succeeded();
    for (int i = 0; i < 4; ++i)
        breaker.failed(start);
    EXPECT_EQ(breaker.state(start), Breaker::State::closed) << "a success in between counts them anew";
}

TEST(Breaker, LetsOneTryThroughWhenItsPauseIsOver) {
    Breaker breaker = failed_breaker(5);
    const auto pause = breaker.next_try() - start;
    EXPECT_GE(pause, 2'500ms);
    EXPECT_LE(pause, 5s);
    EXPECT_EQ(breaker.state(breaker.next_try() - 1ms), Breaker::State::open);
    EXPECT_EQ(breaker.state(breaker.next_try()), Breaker::State::half_open);
    breaker.succeeded();
    EXPECT_EQ(breaker.state(start), Breaker::State::closed);
}

TEST(Breaker, DoublesItsPauseWithEveryTryThatFailsUpToAMinute) {
    Breaker breaker = failed_breaker(5);
    auto longest = 5'000ms;
    for (int tries = 0; tries < 10; ++tries) {
        const Breaker::Time tried = breaker.next_try();
        breaker.failed(tried);
        EXPECT_EQ(breaker.state(tried), Breaker::State::open);
        longest = std::min(longest * 2, 60'000ms);
        EXPECT_GE(breaker.next_try() - tried, longest / 2);
        EXPECT_LE(breaker.next_try() - tried, longest);
    }
}

}  // namespace
}  // namespace decant::work
