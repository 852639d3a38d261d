#include "core/dotenv.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"

namespace decant {
namespace {

std::string value_of(std::string_view text) {
    const std::vector<DotenvEntry> entries = parse_dotenv(text, ".env");
    EXPECT_EQ(entries.size(), 1U);
    return entries.empty() ? "" : entries.front().value;
}

std::string complaint_about(std::string_view text) {
    try {
        parse_dotenv(text, ".env");
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::config_invalid);
        return error.happened();
    }
    return "none";
}

TEST(Dotenv, ReadsKeysWithTheirLines) {
    const std::vector<DotenvEntry> entries = parse_dotenv("# comment\n\nA=1\nexport B = two words \r\n", ".env");
    ASSERT_EQ(entries.size(), 2U);
    EXPECT_EQ(entries[0].key, "A");
    EXPECT_EQ(entries[0].line, 3U);
    EXPECT_EQ(entries[1].key, "B");
    EXPECT_EQ(entries[1].value, "two words");
    EXPECT_EQ(entries[1].line, 4U);
}

TEST(Dotenv, CutsABareValueAtACommentAfterABlankOnly) {
    EXPECT_EQ(value_of("A=red#5 # colour"), "red#5");
    EXPECT_EQ(value_of("A=#5"), "#5");
    EXPECT_EQ(value_of("A= # nothing"), "");
}

TEST(Dotenv, TakesSingleQuotesAsTheyAre) {
    EXPECT_EQ(value_of(R"(A='${x} \n # "' # c)"), R"(${x} \n # ")");
}

TEST(Dotenv, ReplacesEscapesInDoubleQuotes) {
    EXPECT_EQ(value_of(R"(A="a\n\"b\"\\\$c\q")"), "a\n\"b\"\\$c\\q");
}

TEST(Dotenv, LetsAQuotedValueSpanLinesAndCountsThem) {
    const std::vector<DotenvEntry> entries = parse_dotenv("A=\"x\ny\"\nB=1", ".env");
    ASSERT_EQ(entries.size(), 2U);
    EXPECT_EQ(entries[0].value, "x\ny");
    EXPECT_EQ(entries[1].line, 3U);
}

TEST(Dotenv, SkipsAByteOrderMark) {
    EXPECT_EQ(value_of("\xEF\xBB\xBF"
                       "A=1"),
              "1");
}

TEST(Dotenv, NamesTheLineOfWhatItCannotRead) {
    EXPECT_EQ(complaint_about("A=1\nhunter2\n"), ".env, line 2: the line has no '=' after the key");
    EXPECT_EQ(complaint_about("\n=x"), ".env, line 2: the line does not start with a key");
    EXPECT_EQ(complaint_about("A='x\n\n"), ".env, line 1: the line opens a quote that is never closed");
    EXPECT_EQ(complaint_about("A='x'y"), ".env, line 1: the line goes on after the closing quote");
    EXPECT_EQ(complaint_about(std::string_view{"A=\0", 3}), ".env, line 1: the line holds a NUL byte");
}

TEST(Dotenv, RefusesAReferenceInsteadOfTakingItForText) {
    EXPECT_THAT(complaint_about("A=x${B}"), testing::HasSubstr("${...}, which is not replaced"));
    EXPECT_THAT(complaint_about("A=\"${B}\""), testing::HasSubstr("${...}, which is not replaced"));
    EXPECT_EQ(value_of(R"(A="\${B}")"), "${B}");
}

TEST(SetInDotenv, ReplacesTheValueAloneAndKeepsEveryOtherByte) {
    EXPECT_EQ(set_in_dotenv("export A = 'x'  # why\r\nB=1\n", ".env", "A", "2"), "export A = 2  # why\r\nB=1\n");
    EXPECT_EQ(set_in_dotenv("A=\nB=1", ".env", "A", "2"), "A=2\nB=1");
    EXPECT_EQ(set_in_dotenv("A=\"several\nlines\"\nB=1\n", ".env", "A", "2"), "A=2\nB=1\n");
    EXPECT_EQ(set_in_dotenv("A= # none\n", ".env", "A", "2"), "A= 2 # none\n");
    EXPECT_EQ(set_in_dotenv("A=1\nB=1\nA=3 # again\n", ".env", "A", "2"), "A=2\nB=1\nA=2 # again\n");
}

TEST(SetInDotenv, AddsAMissingKeyOnALineOfItsOwn) {
    EXPECT_EQ(set_in_dotenv("", ".env", "A", "2"), "A=2\n");
    EXPECT_EQ(set_in_dotenv("# A=1", ".env", "A", "2"), "# A=1\nA=2\n");
    EXPECT_EQ(set_in_dotenv("B=1\r\n", ".env", "A", "2"), "B=1\r\nA=2\r\n");
    EXPECT_EQ(set_in_dotenv("AB=1\n", ".env", "A", "2"), "AB=1\nA=2\n");
}

}  // namespace
}  // namespace decant
