#include "chroma/detail/json.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace decant::chroma::detail {
namespace {

template <typename T>
T value_of(std::string_view text) {
    return std::get<T>(parse_json(text).value().value);
}

TEST(Json, KeepsWholeNumbersAndFloatsApart) {
    EXPECT_EQ(value_of<std::int64_t>("-9223372036854775808"), std::numeric_limits<std::int64_t>::min());
    EXPECT_EQ(value_of<double>("3.0"), 3.0);
    EXPECT_EQ(value_of<double>("1e3"), 1000.0);
}

TEST(Json, ReadsEveryDoubleAsItWasWritten) {
    std::mt19937_64 random{7};
    for (int i = 0; i < 20000; ++i) {
        const auto written = std::bit_cast<double>(random());
        if (!std::isfinite(written)) continue;
        char text[40];
        std::snprintf(text, sizeof text, "%.17e", written);
        EXPECT_EQ(std::bit_cast<std::uint64_t>(value_of<double>(text)), std::bit_cast<std::uint64_t>(written)) << text;
    }
}

TEST(Json, ReadsWhatPythonWritesForNanAndInfinity) {
    EXPECT_TRUE(std::isnan(value_of<double>("NaN")));
    EXPECT_EQ(value_of<double>("-Infinity"), -std::numeric_limits<double>::infinity());
}

TEST(Json, JoinsSurrogatesAndRefusesASingleOne) {
    EXPECT_EQ(value_of<std::string>(R"("\ud83d\ude00 \u0000 \u00f1")"), std::string("😀 \0 ñ", 9));
    EXPECT_FALSE(parse_json(R"("\ud83d")"));
}

TEST(Json, RefusesWhatIsNotOneDocument) {
    for (const char* text : {"", "{", "{\"a\":}", "[1,]", "1 2", "nul", "\"a", "-", "1e400"}) {
        EXPECT_FALSE(parse_json(text)) << text;
    }
    EXPECT_FALSE(parse_json(std::string(100, '[') + std::string(100, ']')));
}

TEST(Json, FindsTheLastOfTwoMembersOfOneName) {
    const auto json = parse_json(R"({"a": {"b": 1}, "a": {"b": 2}})");
    EXPECT_EQ(std::get<std::int64_t>(find_path(*json, {"a", "b"})->value), 2);
    EXPECT_EQ(find_path(*json, {"a", "c"}), nullptr);
}

}  // namespace
}  // namespace decant::chroma::detail
