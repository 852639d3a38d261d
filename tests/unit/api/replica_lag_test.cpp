// How far a replica is behind, by what the primary was seen to have.

#include "api/replica_lag.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace decant::api {
namespace {

using namespace std::chrono_literals;

constexpr PrimaryHistory::Time start{1h};

PrimaryHistory history_of(std::initializer_list<std::pair<WalPosition, std::chrono::seconds>> looks) {
    PrimaryHistory history;
    for (const auto& [position, at] : looks)
        history.note(position, start + at);
    return history;
}

TEST(ReplicaLag, IsNotKnownBeforeThePrimaryWasSeen) {
    EXPECT_FALSE(PrimaryHistory{}.lag_of(100, start));
}

TEST(ReplicaLag, IsNothingOnceAllIsReplayedHoweverLongNothingWasWritten) {
    const auto lag = history_of({{100, 0s}}).lag_of(100, start + 1h);
    EXPECT_EQ(lag->bytes, 0U);
    EXPECT_EQ(lag->seconds, 0);
}

TEST(ReplicaLag, CountsFromWhenAllThatTheReplicaHasWasAllThereWas) {
    const PrimaryHistory history = history_of({{100, 0s}, {200, 1s}, {300, 2s}});
    const auto lag = history.lag_of(250, start + 5s);
    EXPECT_EQ(lag->bytes, 50U);
    EXPECT_EQ(lag->seconds, 4);
}

TEST(ReplicaLag, CountsTheTimeInWhichNothingWasWrittenForTheReplica) {
    const auto lag = history_of({{100, 0s}, {100, 60s}, {101, 61s}}).lag_of(100, start + 61s);
    EXPECT_EQ(lag->seconds, 1);
}

TEST(ReplicaLag, HasNoKnownSecondsOfAReplicaThatHasNothingOfWhatWasSeen) {
    const auto lag = history_of({{100, 0s}, {200, 1s}}).lag_of(50, start + 2s);
    EXPECT_EQ(lag->bytes, 150U);
    EXPECT_FALSE(lag->seconds);
    EXPECT_FALSE(is_near_enough(*lag, {}, true));
}

TEST(ReplicaLag, BeginsAnewWithAnotherTimeline) {
    const auto lag = history_of({{900, 0s}, {500, 1s}}).lag_of(500, start + 2s);
    EXPECT_EQ(lag->bytes, 0U);
}

TEST(ReplicaLag, KeepsAReplicaUpToTheLimitAndTakesItBackAtHalf) {
    constexpr LagLimits limits{.bytes = 1000, .seconds = 10};
    EXPECT_TRUE(is_near_enough({.bytes = 1000, .seconds = 10}, limits, true));
    EXPECT_FALSE(is_near_enough({.bytes = 1001, .seconds = 1}, limits, true));
    EXPECT_FALSE(is_near_enough({.bytes = 1, .seconds = 10.1}, limits, true));
    EXPECT_TRUE(is_near_enough({.bytes = 500, .seconds = 5}, limits, false));
    EXPECT_FALSE(is_near_enough({.bytes = 501, .seconds = 5}, limits, false));
    EXPECT_FALSE(is_near_enough({.bytes = 500, .seconds = 5.1}, limits, false));
}

TEST(WalPosition, EndsBeforeTheHeaderOfAPageThatNothingWasWrittenTo) {
    EXPECT_EQ(end_of_last_record(3 * 8192 + 24), 3U * 8192);
    EXPECT_EQ(end_of_last_record(3 * 8192 + 32), 3U * 8192 + 32);
    EXPECT_EQ(end_of_last_record(3 * 8192), 3U * 8192);
}

}  // namespace
}  // namespace decant::api
