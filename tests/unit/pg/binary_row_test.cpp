#include "pg/binary_row.hpp"

#include <gtest/gtest.h>

#include <array>
#include <bit>

#include "core/error.hpp"
#include "pg/half.hpp"
#include "pg/sql_state.hpp"

using namespace std::string_view_literals;

namespace decant::pg {
namespace {

TEST(BinaryRow, ReadsBackTheFieldsThatItWrote) {
    std::string tuple;
    BinaryRow row{tuple, 3};
    row.text("ab");
    row.null();
    row.jsonb("{}");
    const auto fields = fields_of(tuple);
    ASSERT_EQ(fields.size(), 3U);
    EXPECT_EQ(fields[0], "ab");
    EXPECT_EQ(fields[1].data(), nullptr);
    EXPECT_EQ(fields[2], "\1{}");
}

TEST(BinaryRow, RefusesTuplesWhoseLengthsLie) {
    EXPECT_THROW(fields_of("\0"sv), Error);
    EXPECT_THROW(fields_of("\0\1\0\0"sv), Error);
    EXPECT_THROW(fields_of("\0\1\0\0\0\5ab"sv), Error);
}

TEST(BinaryRow, DecodesTheVectorsThatItWrote) {
    constexpr std::array<float, 3> values{1.5F, -0.0F, 3.4e38F};
    std::string tuple;
    BinaryRow row{tuple, 1};
    row.vector(values);
    std::vector<float> read;
    decode_vector(fields_of(tuple)[0], read);
    ASSERT_EQ(read.size(), values.size());
    for (std::size_t i = 0; i < read.size(); ++i) {
        EXPECT_EQ(std::bit_cast<std::uint32_t>(read[i]), std::bit_cast<std::uint32_t>(values[i]));
    }
}

TEST(BinaryRow, RefusesAVectorWhoseDimensionLies) {
    std::vector<float> read;
    EXPECT_THROW(decode_vector("\0\2\0\0\0\0\0\0"sv, read), Error);
    EXPECT_THROW(decode_halfvec("\0\2\0\0\0"sv, read), Error);
}

TEST(Half, RoundsToNearestEven) {
    EXPECT_EQ(half_of(1.0F), 0x3c00);
    EXPECT_EQ(half_of(2049.0F), 0x6800);  // halfway between 2048 and 2050: the even one
    EXPECT_EQ(half_of(2051.0F), 0x6802);
    EXPECT_EQ(half_of(5.9604645e-8F), 0x0001);
    EXPECT_TRUE(is_infinite_half(half_of(65'520.0F)));
    EXPECT_EQ(half_of(65'504.0F), 0x7bff);
}

TEST(Half, EveryValueSurvivesTheWayThroughFloat) {
    for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
        const auto half = static_cast<std::uint16_t>(bits);
        if ((half & 0x7fffU) > 0x7c00U) continue;
        ASSERT_EQ(half_of(float_of(half)), half);
    }
}

TEST(SqlState, TellsWhatPassesByItselfFromWhatDoesNot) {
    EXPECT_EQ(code_of_sqlstate("40P01"), ErrorCode::timed_out);
    EXPECT_EQ(code_of_sqlstate("57P01"), ErrorCode::store_unavailable);
    EXPECT_EQ(code_of_sqlstate("25006"), ErrorCode::store_unavailable);
    EXPECT_EQ(code_of_sqlstate("53100"), ErrorCode::store_full);
    EXPECT_EQ(code_of_sqlstate("42501"), ErrorCode::permission_denied);
    EXPECT_EQ(code_of_sqlstate("23505"), ErrorCode::store_rejected);
}

}  // namespace
}  // namespace decant::pg
