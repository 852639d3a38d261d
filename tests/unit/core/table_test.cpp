#include "core/table.hpp"

#include <gtest/gtest.h>

namespace decant {
namespace {

TEST(Table, AlignsColumnsAndLeavesNoBlanksAtTheEnd) {
    Table table{{{"phase"}, {"rows", Table::Align::right}, {"note"}}};
    table.add_row({"copy", "20,000", ""});
    table.add_row({"Prüfung", "7", "ok"});
    EXPECT_EQ(table.text(),
              "phase      rows  note\n"
              "-------  ------  ----\n"
              "copy     20,000\n"
              "Prüfung       7  ok\n");
}

TEST(Table, ShowsControlCharactersOfACellAsEscapes) {
    Table table{{{"id"}}};
    table.add_row({"a\n\x1b[2J"});
    EXPECT_EQ(table.text(), "id\n------------\na\\x0a\\x1b[2J\n");
}

}  // namespace
}  // namespace decant
