#include "core/shell_word.hpp"

#include <gtest/gtest.h>

namespace decant {
namespace {

TEST(ShellWord, LeavesPlainTextAsItIs) {
    EXPECT_EQ(shell_word("data/vector_db"), "data/vector_db");
}

TEST(ShellWord, QuotesWhatAShellWouldRead) {
    EXPECT_EQ(shell_word(""), "''");
    EXPECT_EQ(shell_word("my data; $x"), "'my data; $x'");
    EXPECT_EQ(shell_word("it's"), "'it'\\''s'");
    EXPECT_EQ(shell_word("CREATE SCHEMA \"a\""), "'CREATE SCHEMA \"a\"'");
}

}  // namespace
}  // namespace decant
