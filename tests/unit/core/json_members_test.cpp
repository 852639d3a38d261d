#include "core/json_members.hpp"

#include <gtest/gtest.h>

namespace decant {
namespace {

const json::object object{{"text", "a"}, {"number", 2}, {"yes", true}, {"no", false}, {"nothing", nullptr}};

TEST(JsonMembers, AreGivenWhereTheyAreNotNull) {
    EXPECT_NE(given_member(object, "no"), nullptr);
    EXPECT_EQ(given_member(object, "nothing"), nullptr);
    EXPECT_EQ(given_member(object, "other"), nullptr);
}

TEST(JsonMembers, AreReadWhereTheyAreOfTheirType) {
    EXPECT_EQ(text_member(object, "text"), "a");
    EXPECT_EQ(number_member(object, "number"), 2.0);
    EXPECT_TRUE(is_set(object, "yes"));
    EXPECT_FALSE(is_set(object, "no"));
    for (const std::string_view other : {"yes", "nothing", "absent"}) {
        EXPECT_EQ(text_member(object, other), std::nullopt);
        EXPECT_EQ(number_member(object, other), std::nullopt);
    }
    EXPECT_FALSE(is_set(object, "number"));
}

TEST(JsonMembers, AreNullForWhatThereIsNot) {
    EXPECT_EQ(json_text(or_null(std::optional<double>{})), "null");
    EXPECT_EQ(json_text(or_null(std::optional<std::string>{"a"})), "\"a\"");
}

}  // namespace
}  // namespace decant
