#include "core/failpoint.hpp"

#include <csignal>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"

namespace decant {
namespace {

class FailpointTest : public testing::Test {
protected:
    ~FailpointTest() override { arm_failpoints(""); }
};

TEST_F(FailpointTest, DoNothingUnlessArmed) {
    EXPECT_NO_THROW(failpoint("copy.page_committed"));
}

TEST_F(FailpointTest, ThrowAtTheNthPassOnly) {
    arm_failpoints("copy.loaded:1:error,copy.page_committed:2:error");
    EXPECT_NO_THROW(failpoint("copy.page_committed"));
    EXPECT_THROW(failpoint("copy.page_committed"), Error);
    EXPECT_NO_THROW(failpoint("copy.page_committed"));
    EXPECT_THROW(failpoint("copy.loaded"), Error);
}

TEST_F(FailpointTest, KillTheProcess) {
    EXPECT_EXIT(
        {
            arm_failpoints("copy.page_committed:1");
            failpoint("copy.page_committed");
        },
        testing::KilledBySignal(SIGKILL), "");
}

TEST_F(FailpointTest, InterruptTheProcess) {
    EXPECT_EXIT(
        {
            arm_failpoints("copy.page_committed:1:interrupt");
            failpoint("copy.page_committed");
        },
        testing::KilledBySignal(SIGINT), "");
}

TEST_F(FailpointTest, RefuseANameThatDoesNotExist) {
    try {
        arm_failpoints("copy.page_comitted:1");
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::config_invalid);
        EXPECT_EQ(error.remedy(), "did you mean copy.page_committed?");
    }
}

TEST_F(FailpointTest, RefuseWhatIsNoList) {
    for (const std::string list : {"copy.loaded", "copy.loaded:0", "copy.loaded:x", "copy.loaded:1:throw", ",", ":1"}) {
        EXPECT_THROW(arm_failpoints(list), Error) << list;
    }
}

}  // namespace
}  // namespace decant
