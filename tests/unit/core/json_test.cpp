#include "core/json.hpp"

#include <limits>

#include <gtest/gtest.h>
#include <boost/json/parse.hpp>

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
