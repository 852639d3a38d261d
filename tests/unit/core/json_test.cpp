#include "core/json.hpp"

#include <limits>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace decant {
namespace {

TEST(JsonText, WritesDoublesInTheirShortestForm) {
    EXPECT_EQ(json_text({{"a", 0.1}, {"b", 2.0}, {"c", 1e300}}), R"({"a":0.1,"b":2,"c":1e+300})");
}

TEST(JsonText, WritesNullForWhatJsonCannotSay) {
    EXPECT_EQ(json_text(json::array{std::numeric_limits<double>::quiet_NaN(), nullptr}), "[null,null]");
}

TEST(JsonText, EscapesStringsAndKeys) {
    EXPECT_EQ(json_text({{"a\"", "\n\x01\\"}}), R"({"a\"":"\n\u0001\\"})");
}

TEST(JsonText, WritesStringsAsBoostJsonDoes) {
    json::string all = "\xF0\x9F\x8D\xB7\xF4\x8F\xBF\xBF";
    for (unsigned code = 0; code < 0x10000; ++code) {
        if (code >= 0xD800 && code < 0xE000) continue;  // no characters
        const json::value character = json::parse(fmt::format(R"("\u{:04x}")", code));
        EXPECT_EQ(json_text(character), json::serialize(character)) << code;
        all += character.get_string();
    }
    EXPECT_EQ(json_text(all), json::serialize(all));
}

TEST(JsonText, WritesNumbersAsTheyAre) {
    EXPECT_EQ(json_text(json::array{std::numeric_limits<std::int64_t>::min(), 0, -1, false, true, -0.0, 5e-324}),
              "[-9223372036854775808,0,-1,false,true,-0,5e-324]");
}

TEST(JsonText, StaysJsonWhateverTheBytes) {
    const std::string text = json_text(json::string("\xFF\xC3(\xED\xA0\x80"));
    EXPECT_EQ(json::parse(text).as_string(), "\xEF\xBF\xBD\xEF\xBF\xBD(\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST(JsonText, KeepsTheOrderOfMembersAndWholeNumbersWhole) {
    EXPECT_EQ(json_text({{"z", 1}, {"a", std::numeric_limits<std::uint64_t>::max()}, {"m", true}}),
              R"({"z":1,"a":18446744073709551615,"m":true})");
}

}  // namespace
}  // namespace decant
