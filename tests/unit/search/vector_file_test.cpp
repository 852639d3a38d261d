#include "search/vector_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <limits>

#include "core/error.hpp"

namespace decant::search {
namespace {

using testing::ElementsAre;

std::string bytes_of(const std::vector<float>& values) {
    std::string bytes(values.size() * sizeof(float), '\0');
    std::memcpy(bytes.data(), values.data(), bytes.size());
    return bytes;
}

TEST(VectorFile, IsAnArrayOfNumbersOrFloat32ByItsName) {
    EXPECT_THAT(parse_vector("[1, -2.5, 3e-2]", format_of("v.json"), "v.json"), ElementsAre(1, -2.5F, 0.03F));
    EXPECT_THAT(parse_vector(bytes_of({0.25F, -7}), format_of("v.f32"), "v.f32"), ElementsAre(0.25F, -7));
    EXPECT_EQ(format_of("v.bin"), VectorFormat::float32);
    EXPECT_EQ(format_of("f32"), VectorFormat::json);
}

TEST(VectorFile, RefusesWhatIsNoVector) {
    constexpr float nan = std::numeric_limits<float>::quiet_NaN();
    for (const char* text : {"", "[]", "{}", "[1, \"2\"]", "[1, null]", "[[1]]", "[1e39]", "[1,", "[1] [2]"})
        EXPECT_THROW(parse_vector(text, VectorFormat::json, "v"), Error) << text;
    for (const std::string& bytes :
         {std::string{}, std::string(7, 'x'), bytes_of({1, nan}), bytes_of(std::vector<float>(16'001, 1))})
        EXPECT_THROW(parse_vector(bytes, VectorFormat::float32, "v"), Error) << bytes.size();
    EXPECT_THROW(read_vector_file("/no/such/file"), Error);
    EXPECT_THROW(read_vector_file("/"), Error);
}

}  // namespace
}  // namespace decant::search
