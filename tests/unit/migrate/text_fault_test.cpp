#include "migrate/text_fault.hpp"

#include <gtest/gtest.h>

using namespace std::string_view_literals;

namespace decant::migrate {
namespace {

TEST(TextFault, FindsNothingInValidText) {
    EXPECT_EQ(find_text_fault(""), std::nullopt);
    EXPECT_EQ(find_text_fault("plain ascii, longer than one word of eight"), std::nullopt);
    EXPECT_EQ(find_text_fault("ñandú 日本 😀 \xf4\x8f\xbf\xbf"), std::nullopt);
}

TEST(TextFault, NamesTheByteOfANul) {
    EXPECT_EQ(find_text_fault("antes\0después"sv), "U+0000 at byte 5");
    EXPECT_EQ(find_text_fault("12345678901234\0"sv), "U+0000 at byte 14");
}

TEST(TextFault, RefusesOverlongsSurrogatesAndTooLargeCodePoints) {
    for (const std::string_view bad : {"\xc0\x80"sv, "\xe0\x9f\xbf"sv, "\xed\xa0\x80"sv, "\xf0\x8f\xbf\xbf"sv,
                                       "\xf4\x90\x80\x80"sv, "\xff"sv, "\x80"sv, "\xc3"sv, "\xe2\x82"sv}) {
        EXPECT_TRUE(find_text_fault(bad)) << bad;
    }
}

TEST(TextFault, StripLeavesTheBadBytesOut) {
    EXPECT_EQ(repaired_text("a\0b\xff"
                            "c"sv,
                            NulPolicy::strip),
              "abc");
}

TEST(TextFault, EscapeShowsTheBadBytes) {
    EXPECT_EQ(repaired_text("a\0b\xff"
                            "c"sv,
                            NulPolicy::escape),
              "a\\u0000b\\xFFc");
}

TEST(TextFault, RepairedTextHasNoFault) {
    const std::string all_bytes = [] {
        std::string out;
        for (int byte = 0; byte < 256; ++byte)
            out.push_back(static_cast<char>(byte));
        return out;
    }();
    EXPECT_EQ(find_text_fault(repaired_text(all_bytes, NulPolicy::strip)), std::nullopt);
    EXPECT_EQ(find_text_fault(repaired_text(all_bytes, NulPolicy::escape)), std::nullopt);
}

}  // namespace
}  // namespace decant::migrate
