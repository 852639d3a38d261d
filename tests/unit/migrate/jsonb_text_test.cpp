#include "migrate/jsonb_text.hpp"

#include <gtest/gtest.h>

#include <array>

namespace decant::migrate {
namespace {

using chroma::MetadataEntry;
using chroma::Scalar;

std::string text_of(const Scalar& value) {
    const std::array entries{MetadataEntry{"k", value}};
    const std::string text = jsonb_text(entries);
    return text.substr(6, text.size() - 7);
}

TEST(JsonbText, OrdersKeysByLengthThenBytewise) {
    const std::array entries{MetadataEntry{"bb", Scalar{std::int64_t{1}}}, MetadataEntry{"z", Scalar{true}},
                             MetadataEntry{"aa", Scalar{false}}};
    EXPECT_EQ(jsonb_text(entries), R"({"z": true, "aa": false, "bb": 1})");
}

TEST(JsonbText, KeepsThePointOfWholeFloats) {
    EXPECT_EQ(text_of(3.0), "3.0");
    EXPECT_EQ(text_of(-250.0), "-250.0");
    EXPECT_EQ(text_of(std::int64_t{3}), "3");
}

TEST(JsonbText, WritesFloatsWithoutExponent) {
    EXPECT_EQ(text_of(1e22), "10000000000000000000000.0");
    EXPECT_EQ(text_of(1.5e-7), "0.00000015");
    EXPECT_EQ(text_of(123.456), "123.456");
    EXPECT_EQ(text_of(0.1), "0.1");
}

TEST(JsonbText, HasNoNegativeZero) {
    EXPECT_EQ(text_of(-0.0), "0.0");
}

TEST(JsonbText, KeepsIntegersBeyondDoublePrecision) {
    EXPECT_EQ(text_of(std::int64_t{9007199254740993}), "9007199254740993");
    EXPECT_EQ(text_of(INT64_MIN), "-9223372036854775808");
}

TEST(JsonbText, EscapesAsPostgresDoes) {
    EXPECT_EQ(text_of(std::string_view{"a\"b\\c\n\t\x01/\x7fñ"}), "\"a\\\"b\\\\c\\n\\t\\u0001/\x7fñ\"");
}

TEST(JsonbText, WritesListsInTheirOrder) {
    const std::array<Scalar, 3> list{Scalar{2.0}, Scalar{0.5}, Scalar{-1.0}};
    const std::array entries{MetadataEntry{"v", std::span<const Scalar>{list}}};
    EXPECT_EQ(jsonb_text(entries), R"({"v": [2.0, 0.5, -1.0]})");
}

TEST(JsonbText, WritesEmptyMetadataAsAnEmptyObject) {
    EXPECT_EQ(jsonb_text({}), "{}");
}

}  // namespace
}  // namespace decant::migrate
