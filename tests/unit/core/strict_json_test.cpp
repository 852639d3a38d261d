#include "core/strict_json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <string>

#include "core/error.hpp"

namespace decant {
namespace {

using testing::HasSubstr;

std::string fault_of(std::string_view text, const JsonLimits& limits = {}) {
    try {
        parse_strict_json(text, limits);
        return "none";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::request_malformed);
        return error.happened();
    }
}

TEST(StrictJson, GivesTheValueThatBoostJsonGives) {
    for (const char* text : {"null", "true", "-1", "18446744073709551615", "1.5e3", R"("a\u00e9\n")", "[]", "{}",
                             R"([1,[2,{"a":[3]}],"x"])", R"( {"a": {"a": 1}, "b": [{"a": 2}, {"a": 3}], "": null} )",
                             R"({"a long name of a member that is no short one":"and a text that is no short one"})"})
        EXPECT_EQ(parse_strict_json(text), json::parse(text)) << text;
}

TEST(StrictJson, RefusesANameThatStandsTwiceInOneObject) {
    EXPECT_THAT(fault_of(R"({"a":1,"b":2,"a":3})"), HasSubstr("'a' stands twice"));
    EXPECT_THAT(fault_of(R"({"a":1,"\u0061":3})"), HasSubstr("'a' stands twice"));
    EXPECT_THAT(fault_of(R"([{"x":{"b":1,"b":{}}}])"), HasSubstr("'b' stands twice"));
    EXPECT_THAT(fault_of("{\"\\n\":1,\"\\n\":2}"), HasSubstr("'\\x0a' stands twice")) << "no line of its own in a log";
}

TEST(StrictJson, RefusesWhatIsNoJson) {
    for (const char* text : {"", " ", "{", "{}{}", "{} x", "[1,]", "{a:1}", "'a'", "// c\n1", "/* c */ 1", "NaN", "01",
                             "\"\\ud800\"", "\"\xff\"", "\"\xc0\xaf\"", "\"\t\"", "\"a"})
        EXPECT_THAT(fault_of(text), HasSubstr("no JSON")) << text;
    EXPECT_THAT(fault_of(std::string_view{"{}\0", 3}), HasSubstr("no JSON"));
}

TEST(StrictJson, RefusesNumbersBeyondDouble) {
    for (const char* text : {"1e400", "-1e400", "[1e99999]", "1e999999999999"})
        EXPECT_THAT(fault_of(text), HasSubstr("no JSON")) << text;
    EXPECT_EQ(fault_of("1e308"), "none");
}

TEST(StrictJson, HoldsItsLimits) {
    EXPECT_EQ(fault_of("[[[]]]", {.depth = 3}), "none");
    EXPECT_THAT(fault_of("[[[[]]]]", {.depth = 3}), HasSubstr("no JSON"));
    EXPECT_EQ(fault_of(R"([{"a":1},{"a":2}])", {.members = 2}), "none");
    EXPECT_THAT(fault_of(R"([{"a":1},{"a":2},{"a":3}])", {.members = 2}), HasSubstr("too many members"));
    EXPECT_THAT(fault_of(std::string(100'000, '[')), HasSubstr("no JSON"));
}

}  // namespace
}  // namespace decant
