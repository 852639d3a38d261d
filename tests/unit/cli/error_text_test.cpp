#include "cli/error_text.hpp"

#include <gtest/gtest.h>

namespace decant::cli {
namespace {

TEST(ErrorText, HasTwoLines) {
    EXPECT_EQ(error_text(Error{ErrorCode::conflict, "Table x is in the way", "use --replace"}, false),
              "decant: conflict: Table x is in the way\n  do: use --replace\n");
}

TEST(ErrorText, KeepsTheLinesOfARemedyUnderItsFirst) {
    EXPECT_EQ(error_text(Error{ErrorCode::conflict, "a", "one\ntwo"}, false),
              "decant: conflict: a\n  do: one\n      two\n");
}

TEST(ErrorText, ShowsControlCharactersOfAnObjectAsEscapes) {
    EXPECT_EQ(error_text(Error{ErrorCode::not_found, "no '\x1b[2J'", "b"}, false),
              "decant: not_found: no '\\x1b[2J'\n  do: b\n");
}

TEST(ErrorText, IsOneJsonObjectOnDemand) {
    EXPECT_EQ(error_text(Error{ErrorCode::busy, "a \"b\"", "c\nd"}, true),
              "{\"error\":{\"code\":\"busy\",\"happened\":\"a \\\"b\\\"\",\"remedy\":\"c\\nd\"}}\n");
}

}  // namespace
}  // namespace decant::cli
