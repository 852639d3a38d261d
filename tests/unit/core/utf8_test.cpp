#include "core/utf8.hpp"

#include <gtest/gtest.h>

namespace decant {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

std::string replaced(std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i)
        text += replacement;
    return text;
}

TEST(Utf8, PassesEveryWellFormedSequence) {
    for (const std::string text : {"a", "é", "€", "😀", "\xEE\x80\x80", "\xF4\x8F\xBF\xBF"}) {
        EXPECT_EQ(valid_utf8(text), text);
    }
}

TEST(Utf8, CountsCharacters) {
    EXPECT_EQ(count_characters(""), 0U);
    EXPECT_EQ(count_characters("año 5 € 😀"), 9U);
}

TEST(Utf8, ReplacesWhatIsNone) {
    EXPECT_EQ(valid_utf8("a\x80z"), "a" + replaced(1) + "z");
    EXPECT_EQ(valid_utf8("\xC0\xAF"), replaced(2)) << "overlong";
    EXPECT_EQ(valid_utf8("\xED\xA0\x80"), replaced(3)) << "surrogate";
    EXPECT_EQ(valid_utf8("\xF4\x90\x80\x80"), replaced(4)) << "over U+10FFFF";
    EXPECT_EQ(valid_utf8("\xE2\x82"), replaced(2)) << "cut";
}

TEST(Utf8, ShowsControlCharactersAsEscapes) {
    EXPECT_EQ(printable("a\n\x1b\x7f"), "a\\x0a\\x1b\\x7f");
    EXPECT_EQ(printable("\xC2\x9B"
                        "31m\xC2\xA0"),
              "\\xc2\\x9b31m\xC2\xA0")
        << "a terminal takes U+009B as ESC [";
    EXPECT_EQ(printable("\xE2\x80\xAE"), "\\xe2\\x80\\xae") << "turns the reading direction";
}

}  // namespace
}  // namespace decant
