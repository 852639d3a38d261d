#include "migrate/row_encoder.hpp"

#include <gtest/gtest.h>

#include <array>
#include <limits>

#include "core/json.hpp"
#include "migrate/page_stream.hpp"

using namespace std::string_view_literals;

namespace decant::migrate {
namespace {

constexpr std::array<float, 2> unit{1.0F, 0.5F};
const RowShape l2_shape{.dimension = 2};

std::string reason_of(const RowShape& shape, const chroma::Record& record) {
    std::string out;
    const auto reject = encode_row(shape, record, out);
    EXPECT_TRUE(out.empty());
    return reject ? reject->reason : "accepted";
}

TEST(RowEncoder, WritesTheTupleOfCopysBinaryFormat) {
    std::string out;
    const chroma::Record record{.id = "a", .document = "d", .vector = unit};
    ASSERT_FALSE(encode_row(l2_shape, record, out));
    EXPECT_EQ(out, "\0\4\0\0\0\1a\0\0\0\1d\377\377\377\377\0\0\0\14\0\2\0\0\x3f\x80\0\0\x3f\0\0\0"sv);
    EXPECT_EQ(id_of(out), "a");
}

TEST(RowEncoder, TellsNullMetadataFromEmpty) {
    std::string none;
    std::string empty;
    encode_row(l2_shape, {.id = "a", .vector = unit}, none);
    encode_row(l2_shape, {.id = "a", .metadata = std::span<const chroma::MetadataEntry>{}, .vector = unit}, empty);
    EXPECT_EQ(pg::fields_of(none)[2].data(), nullptr);
    EXPECT_EQ(pg::fields_of(empty)[2], "\1{}");
}

TEST(RowEncoder, KeepsTheUriOfAMultimodalRecordInTheMetadata) {
    std::string out;
    ASSERT_FALSE(encode_row(l2_shape, {.id = "a", .vector = unit, .uri = "file:///a.png"}, out));
    EXPECT_EQ(pg::fields_of(out)[2], "\1{\"chroma:uri\": \"file:///a.png\"}");
}

TEST(RowEncoder, RejectsVectorsThatPgvectorRefuses) {
    const std::array<float, 2> nan{1.0F, std::numeric_limits<float>::quiet_NaN()};
    const std::array<float, 2> infinite{-std::numeric_limits<float>::infinity(), 0.0F};
    const std::array<float, 1> shorter{1.0F};
    EXPECT_EQ(reason_of(l2_shape, {.id = "a", .vector = nan}), "vector: value 1 is nan");
    EXPECT_EQ(reason_of(l2_shape, {.id = "a", .vector = infinite}), "vector: value 0 is -inf");
    EXPECT_EQ(reason_of(l2_shape, {.id = "a", .vector = shorter}), "vector: 1 values, the collection has 2");
}

TEST(RowEncoder, RejectsAZeroVectorOnlyUnderCosine) {
    const std::array<float, 2> zero{0.0F, -0.0F};
    const chroma::Record record{.id = "a", .vector = zero};
    std::string out;
    EXPECT_FALSE(encode_row(l2_shape, record, out));
    EXPECT_NE(reason_of({.dimension = 2, .space = chroma::Space::cosine}, record), "accepted");
}

TEST(RowEncoder, RejectsTextThatPostgresCannotHoldByDefault) {
    EXPECT_EQ(reason_of(l2_shape, {.id = "a\0"sv, .vector = unit}), "id: holds U+0000 at byte 1");
    EXPECT_EQ(reason_of(l2_shape, {.id = "a", .document = "x\0y"sv, .vector = unit}),
              "document: holds U+0000 at byte 1");
    const std::array entries{chroma::MetadataEntry{"k", chroma::Scalar{"\xff"sv}}};
    EXPECT_EQ(reason_of(l2_shape, {.id = "a", .metadata = entries, .vector = unit}),
              "metadata 'k': holds invalid UTF-8 (byte 0xff) at byte 0");
}

TEST(RowEncoder, StripsOrEscapesWhenTold) {
    const std::array entries{chroma::MetadataEntry{"k", chroma::Scalar{"p\0q"sv}}};
    const chroma::Record record{.id = "a", .document = "x\0y"sv, .metadata = entries, .vector = unit};
    std::string stripped;
    std::string escaped;
    ASSERT_FALSE(encode_row({.dimension = 2, .nul = NulPolicy::strip}, record, stripped));
    ASSERT_FALSE(encode_row({.dimension = 2, .nul = NulPolicy::escape}, record, escaped));
    EXPECT_EQ(pg::fields_of(stripped)[1], "xy");
    EXPECT_EQ(pg::fields_of(stripped)[2], "\1{\"k\": \"pq\"}");
    EXPECT_EQ(pg::fields_of(escaped)[1], "x\\u0000y");
    EXPECT_EQ(pg::fields_of(escaped)[2], "\1{\"k\": \"p\\\\u0000q\"}");
}

TEST(RowEncoder, RejectsInfiniteMetadataAndIdsOverTheIndexLimit) {
    const std::array entries{chroma::MetadataEntry{"k", chroma::Scalar{std::numeric_limits<double>::infinity()}}};
    EXPECT_EQ(reason_of(l2_shape, {.id = "a", .metadata = entries, .vector = unit}),
              "metadata 'k': holds inf, which JSON has no number for");
    const std::string long_id(3'000, 'x');
    EXPECT_EQ(reason_of(l2_shape, {.id = long_id, .vector = unit}),
              "id: 3000 bytes, over the 2600 that an index entry holds");
}

TEST(RowEncoder, KeepsTheWholeRecordInTheRejectLine) {
    const std::array entries{chroma::MetadataEntry{"n", chroma::Scalar{std::int64_t{7}}}};
    const Reject reject = make_reject({.id = "a", .document = "x\0"sv, .metadata = entries, .vector = unit}, "why");
    EXPECT_EQ(reject.line,
              R"({"id":"a","reason":"why","document":{"base64":"eAA="},"metadata":[{"key":"n","value":7}],)"
              R"("vector":"AACAPwAAAD8="})");
}

TEST(RowEncoder, RejectsAValueThatOverflowsHalfvec) {
    const std::array<float, 2> large{70'000.0F, 0.0F};
    EXPECT_EQ(reason_of({.dimension = 2, .type = pg::VectorType::halfvec}, {.id = "a", .vector = large}),
              "vector: a value is over 65,504, the largest of halfvec");
}

TEST(RowEncoder, RejectsAVectorThatHasNoDirectionInHalfPrecision) {
    const RowShape shape{.dimension = 2, .space = chroma::Space::cosine, .type = pg::VectorType::halfvec};
    const std::array<float, 2> tiny{0x1p-25F, -1e-9F};
    EXPECT_EQ(reason_of(shape, {.id = "a", .vector = tiny}),
              "vector: all zeros in half precision, which have no cosine distance to anything");
    const std::array<float, 2> small{0x1.02p-25F, 0.0F};
    std::string out;
    EXPECT_FALSE(encode_row(shape, {.id = "a", .vector = small}, out)) << "it rounds to the smallest half";
    EXPECT_FALSE(encode_row({.dimension = 2, .space = chroma::Space::cosine}, {.id = "a", .vector = tiny}, out));
}

}  // namespace
}  // namespace decant::migrate
