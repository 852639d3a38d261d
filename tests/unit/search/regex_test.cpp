#include "search/detail/regex.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace decant::search::detail {
namespace {

struct Translation {
    const char* pattern;
    const char* translated;
};

class TranslatedRegex : public testing::TestWithParam<Translation> {};

TEST_P(TranslatedRegex, MeansTheSameInPostgresql) {
    EXPECT_EQ(postgres_regex(GetParam().pattern), GetParam().translated);
}

INSTANTIATE_TEST_SUITE_P(
    Each, TranslatedRegex,
    testing::Values(Translation{"aé1", "aé1"}, Translation{R"(\.\{ })", R"(\u002e\u007b\u0020\u007d)"},
                    Translation{".", R"([^\u000a])"}, Translation{"(?s).", "."}, Translation{"^a$", "(?:^)a(?:$)"},
                    Translation{"(?m)^", R"((?:^|(?<=\u000a)))"}, Translation{"a+?|b*", "a+|b*"},
                    Translation{"a{2}{3,}", "(?:a{2}){3,}"}, Translation{"(?P<n>a)(b)", "(?:a)(?:b)"},
                    Translation{"(?i)k", "[Kk\u212a]"}, Translation{"(?i:k)k", "(?:[Kk\u212a])k"},
                    Translation{"[]a-c-]", R"([\u002d\u005da-c])"}, Translation{"[a-z&&[^b-y]]", "[az]"},
                    Translation{"[a-d--b]", "[ac-d]"}, Translation{"[a-c~~b-d]", "[ad]"},
                    Translation{"[[:digit:]x]", "[0-9x]"}, Translation{R"(\x41\u{e9}\n)", R"(Aé\u000a)"},
                    Translation{R"([^\x01-\u{10FFFE}])", "[\U0010ffff]"}));

TEST(Regex, WritesClassesOutOfUnicodesTables) {
    EXPECT_THAT(postgres_regex(R"(\d)"), testing::StartsWith("[0-9\u0660-\u0669"));
    EXPECT_THAT(postgres_regex(R"(\w)"), testing::StartsWith("[0-9A-Z\\u005fa-z\u00aa"));
    EXPECT_THAT(postgres_regex(R"(\s)"), testing::HasSubstr("\u2028"));
    EXPECT_EQ(postgres_regex(R"(\p{Greek})"), postgres_regex(R"(\p{sc=Grek})"));
}

class RefusedRegex : public testing::TestWithParam<const char*> {};

TEST_P(RefusedRegex, IsSaidToBeRefused) {
    EXPECT_THROW(postgres_regex(GetParam()), RegexFault);
}

INSTANTIATE_TEST_SUITE_P(Each, RefusedRegex,
                         testing::Values("(", ")", "[a", "*", "a|*", "(?=a)", "(?<!a)", R"((a)\1)", R"(\Z)", R"(\é)",
                                         "[z-a]", "a{", "a{,2}", "a{2,1}", "a{256}", "(?x) a", "(?-u)a", "(?ii)a",
                                         "(?i-)a", "(?)", R"(\p{Nothing})", R"([a-\d])", R"(\x{110000})", R"(\x{d800})",
                                         R"([^\s\S])", "(?<n>a)(?<n>b)", R"(\)"));

TEST(Regex, HoldsExpressionsToTheirBounds) {
    EXPECT_THROW(postgres_regex(std::string(5'000, 'a')), RegexFault);
    EXPECT_THROW(postgres_regex(std::string(100, '(') + std::string(100, ')')), RegexFault);
    EXPECT_THROW(postgres_regex(std::string(100, '[') + std::string(100, ']')), RegexFault);
    std::string many;
    for (int i = 0; i < 300; ++i)
        many += R"(\w)";
    EXPECT_THROW(postgres_regex(many), RegexFault);
}

}  // namespace
}  // namespace decant::search::detail
