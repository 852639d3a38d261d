#include "core/quantity_text.hpp"

#include <gtest/gtest.h>

namespace decant {
namespace {

TEST(QuantityText, GroupsDigitsByThousands) {
    EXPECT_EQ(grouped(0), "0");
    EXPECT_EQ(grouped(999), "999");
    EXPECT_EQ(grouped(1000), "1,000");
    EXPECT_EQ(grouped(1234567), "1,234,567");
}

TEST(QuantityText, ShowsThreeDigitsOfBytes) {
    EXPECT_EQ(bytes_text(0), "0 B");
    EXPECT_EQ(bytes_text(999), "999 B");
    EXPECT_EQ(bytes_text(1000), "1.00 kB");
    EXPECT_EQ(bytes_text(30720), "30.7 kB");
    EXPECT_EQ(bytes_text(999'600), "1.00 MB");
    EXPECT_EQ(bytes_text(153'600'000), "154 MB");
}

TEST(QuantityText, ShowsHoursOnlyWhereThereAreSome) {
    EXPECT_EQ(clock_text(std::chrono::seconds{7}), "0:07");
    EXPECT_EQ(clock_text(std::chrono::seconds{760}), "12:40");
    EXPECT_EQ(clock_text(std::chrono::seconds{3723}), "1:02:03");
}

}  // namespace
}  // namespace decant
