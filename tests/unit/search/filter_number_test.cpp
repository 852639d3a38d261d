#include "search/detail/filter_number.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace decant::search::detail {
namespace {

TEST(FilterNumber, IsReadByChromaAsItIsWhereFewDigitsSayIt) {
    for (const double value : {0.0, 1.0, 3.5, -0.1, 99.99, 1e300, 5e-324, 0x1p53, 1.7976931348623157e308})
        EXPECT_EQ(read_by_chroma(value), value) << value;
}

TEST(FilterNumber, MayBeReadByChromaAsItsNeighbour) {
    // What chromadb 1.5.9 gives back for the first.
    EXPECT_EQ(read_by_chroma(-9.325939267212105e-05), -9.325939267212104e-05);
    EXPECT_EQ(read_by_chroma(-101017870422523.75), -101017870422523.77);
    const FilterNumber number = number_of(-9.325939267212105e-05);
    EXPECT_EQ(number.real_low, "-9.325939267212105e-05");
    EXPECT_EQ(number.real_high, "-9.325939267212104e-05");
    EXPECT_FALSE(number.is_one);
}

TEST(FilterNumber, IsCutForIntegersWithinTheirRange) {
    EXPECT_EQ(number_of(-3.5).whole, "-3");
    EXPECT_EQ(number_of(1e19).whole, "9223372036854775807");
    EXPECT_EQ(number_of(-1e19).whole, "-9223372036854775808");
    EXPECT_TRUE(number_of(3.0).is_one);
    EXPECT_FALSE(number_of(3.5).is_one);
}

TEST(FilterNumber, IsRoundedForFloats) {
    constexpr std::int64_t odd = (std::int64_t{1} << 53) + 1;
    EXPECT_EQ(number_of(odd).whole, "9007199254740993");
    EXPECT_EQ(number_of(odd).real_low, "9007199254740992");
    EXPECT_FALSE(number_of(odd).is_one);
    EXPECT_TRUE(number_of(std::int64_t{-7}).is_one);
    EXPECT_EQ(number_of(std::numeric_limits<std::int64_t>::min()).whole, "-9223372036854775808");
}

}  // namespace
}  // namespace decant::search::detail
