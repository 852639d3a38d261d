#include "api/rate_limiter.hpp"

#include <gtest/gtest.h>

#include <rapidcheck.h>
#include <rapidcheck/gtest.h>
#include <string>
#include <thread>
#include <vector>

namespace decant::api {
namespace {

using namespace std::chrono_literals;

/// So many after an arbitrary start, on both clocks; the wall clock is at 1,800,000,000 s then.
Instant at(std::chrono::nanoseconds span) {
    return {std::chrono::steady_clock::time_point{5h + span},
            std::chrono::system_clock::time_point{1'800'000'000s + span}};
}

RateLimits limits_of(std::uint32_t searches, std::uint32_t chats = 60) {
    RateLimits limits;
    limits[RateClass::search] = searches;
    limits[RateClass::chat] = chats;
    return limits;
}

int allowed(RateLimiter& limiter, int calls, const Instant& now) {
    int count = 0;
    for (int i = 0; i < calls; ++i)
        count += limiter.take(RateClass::search, "a", now).allowed ? 1 : 0;
    return count;
}

TEST(RateLimiter, AllowsAMinutesCallsAtOnceAndThenAsManyAsTimeGivesBack) {
    RateLimiter limiter{limits_of(60)};
    EXPECT_EQ(allowed(limiter, 100, at(0s)), 60);
    EXPECT_EQ(allowed(limiter, 100, at(999ms)), 0);
    EXPECT_EQ(allowed(limiter, 100, at(1s)), 1);
    EXPECT_EQ(allowed(limiter, 100, at(11s)), 10);
    EXPECT_EQ(allowed(limiter, 100, at(1h)), 60) << "what was not used is not kept beyond a minute's";
}

TEST(RateLimiter, TellsWhatIsLeftAndWhenTheNextIsAllowed) {
    RateLimiter limiter{limits_of(6)};
    RateLimiter::Decision decision = limiter.take(RateClass::search, "a", at(0s));
    EXPECT_EQ(decision.limit, 6U);
    EXPECT_EQ(decision.remaining, 5U);
    EXPECT_EQ(decision.reset_epoch, 1'800'000'010);
    EXPECT_EQ(decision.retry_after, 0U);
    allowed(limiter, 5, at(0s));
    decision = limiter.take(RateClass::search, "a", at(2500ms));
    EXPECT_FALSE(decision.allowed);
    EXPECT_EQ(decision.remaining, 0U);
    EXPECT_EQ(decision.retry_after, 8U) << "7.5 s, and then it is allowed";
    EXPECT_EQ(decision.reset_epoch, 1'800'000'060);
    EXPECT_TRUE(limiter.take(RateClass::search, "a", at(10s)).allowed);
}

TEST(RateLimiter, CountsEachCallerAndClassByItself) {
    RateLimiter limiter{limits_of(1, 1)};
    EXPECT_TRUE(limiter.take(RateClass::search, "a", at(0s)).allowed);
    EXPECT_FALSE(limiter.take(RateClass::search, "a", at(0s)).allowed);
    EXPECT_TRUE(limiter.take(RateClass::search, "b", at(0s)).allowed);
    EXPECT_TRUE(limiter.take(RateClass::chat, "a", at(0s)).allowed);
}

TEST(RateLimiter, HasNoLimitAtZero) {
    RateLimiter limiter{limits_of(0)};
    EXPECT_EQ(allowed(limiter, 10'000, at(0s)), 10'000);
    EXPECT_EQ(limiter.take(RateClass::search, "a", at(0s)).limit, 0U);
    EXPECT_TRUE(limiter.take(RateClass::none, "a", at(0s)).allowed);
    EXPECT_EQ(limiter.callers(), 0U);
}

TEST(RateLimiter, TakesNewLimitsFromTheNextCallOn) {
    RateLimiter limiter{limits_of(2)};
    EXPECT_EQ(allowed(limiter, 5, at(0s)), 2);
    limiter.set_limits(limits_of(0));
    EXPECT_EQ(allowed(limiter, 5, at(0s)), 5);
    limiter.set_limits(limits_of(4));
    EXPECT_EQ(allowed(limiter, 5, at(30s)), 2) << "half a minute's";
}

TEST(RateLimiter, DoesNotMindAWallClockThatIsSet) {
    RateLimiter limiter{limits_of(60)};
    allowed(limiter, 60, at(0s));
    const Instant later{at(1s).steady, at(-1h).wall};
    EXPECT_TRUE(limiter.take(RateClass::search, "a", later).allowed);
    EXPECT_FALSE(limiter.take(RateClass::search, "a", later).allowed);
}

TEST(RateLimiter, ForgetsWhoWasNotSeenForLongestBeyondItsRoom) {
    RateLimiter limiter{limits_of(1), 3};
    for (const char* caller : {"a", "b", "c", "a", "d"})
        limiter.take(RateClass::search, caller, at(0s));
    EXPECT_EQ(limiter.callers(), 3U);
    EXPECT_FALSE(limiter.take(RateClass::search, "a", at(0s)).allowed);
    EXPECT_FALSE(limiter.take(RateClass::search, "c", at(0s)).allowed);
    EXPECT_FALSE(limiter.take(RateClass::search, "d", at(0s)).allowed);
    EXPECT_TRUE(limiter.take(RateClass::search, "b", at(0s)).allowed);
}

TEST(RateLimiter, CountsEveryCallOfThreadsThatCallAtOnce) {
    RateLimiter limiter{limits_of(1'000)};
    std::vector<int> counts(4);
    std::vector<std::thread> threads;
    for (int& count : counts)
        threads.emplace_back([&] { count = allowed(limiter, 1'000, at(0s)); });
    for (std::thread& thread : threads)
        thread.join();
    EXPECT_EQ(counts[0] + counts[1] + counts[2] + counts[3], 1'000);
}

TEST(RateLimited, SaysWhatToDo) {
    const RateLimited error{RateClass::search, {.allowed = false, .limit = 600, .retry_after = 3}};
    EXPECT_EQ(error.code(), ErrorCode::rate_limited);
    EXPECT_EQ(error.happened(), "More than 600 calls a minute of the kind search");
    EXPECT_EQ(error.remedy(), "Wait 3 s.");
}

RC_GTEST_PROP(RateLimiterProperty, AllowsWhatFitsIntoEveryMinuteAndWhenItSaysSo, ()) {
    const auto limit = *rc::gen::inRange<std::uint32_t>(1, 500);
    const auto steps = *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 5'000));
    RateLimiter limiter{limits_of(limit)};
    std::chrono::milliseconds now{0};
    std::uint32_t count = 0;
    for (const int step : steps) {
        now += std::chrono::milliseconds{step};
        const RateLimiter::Decision decision = limiter.take(RateClass::search, "a", at(now));
        count += decision.allowed ? 1 : 0;
        RC_ASSERT(decision.remaining < limit);
        RC_ASSERT(decision.allowed == (decision.retry_after == 0));
        // A full bucket and what time gave back.
        RC_ASSERT(static_cast<double>(count) <= limit * (1 + static_cast<double>(now.count()) / 60'000) + 1e-6);
        if (decision.allowed) continue;
        now += std::chrono::seconds{decision.retry_after};
        RC_ASSERT(limiter.take(RateClass::search, "a", at(now)).allowed);
        ++count;
    }
}

}  // namespace
}  // namespace decant::api
