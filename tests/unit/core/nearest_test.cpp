#include "core/nearest.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace decant {
namespace {

const std::vector<std::string> commands{"copy", "verify", "inspect", "rollback"};

TEST(Nearest, FindsASlipOfTheFingers) {
    EXPECT_EQ(nearest("cpoy", commands), "copy");
    EXPECT_EQ(nearest("verfy", commands), "verify");
    EXPECT_EQ(nearest("inspectt", commands), "inspect");
}

TEST(Nearest, GuessesNothingFarAway) {
    EXPECT_EQ(nearest("destroy", commands), std::nullopt);
    EXPECT_EQ(nearest("", commands), std::nullopt);
    EXPECT_EQ(nearest(std::string(100000, 'x'), commands), std::nullopt);
}

}  // namespace
}  // namespace decant
