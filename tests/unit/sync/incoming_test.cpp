#include "sync/incoming.hpp"

#include <gtest/gtest.h>

namespace decant::sync {
namespace {

TEST(Incoming, TellsU0000FromATextThatNamesIt) {
    EXPECT_TRUE(holds_nul(R"({"a":"\u0000"})"));
    EXPECT_TRUE(holds_nul(R"({"a":"\\u0000 \\\u0000"})"));
    EXPECT_FALSE(holds_nul(R"({"a":"\\u0000"})"));
    EXPECT_FALSE(holds_nul(R"({"a":"\\\\u0000 u0000 \u0001"})"));
}

}  // namespace
}  // namespace decant::sync
