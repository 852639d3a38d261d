#include "core/csv.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace decant {
namespace {

using testing::ElementsAre;
using Fields = std::vector<std::string>;

std::vector<CsvReader::Row> rows_of(std::string_view text) {
    CsvReader reader{text};
    std::vector<CsvReader::Row> rows;
    CsvReader::Row row;
    while (reader.next(row))
        rows.push_back(row);
    return rows;
}

std::vector<Fields> fields_of(std::string_view text) {
    std::vector<Fields> fields;
    for (const CsvReader::Row& row : rows_of(text))
        fields.push_back(row.fields);
    return fields;
}

TEST(Csv, TakesQuotedDelimitersQuotesAndLineBreaks) {
    EXPECT_THAT(fields_of("a,\"b,\"\"c\"\"\r\nd\",\n"), ElementsAre(Fields{"a", "b,\"c\"\r\nd", ""}));
}

TEST(Csv, EndsLinesWithLfCrlfAndCr) {
    EXPECT_THAT(fields_of("a,b\nc,d\r\ne,f\rg,h"),
                ElementsAre(Fields{"a", "b"}, Fields{"c", "d"}, Fields{"e", "f"}, Fields{"g", "h"}));
}

TEST(Csv, FindsTheDelimiterInTheFirstLine) {
    EXPECT_EQ(CsvReader{"sku;name;price\n1;a,b,c;2"}.delimiter(), ';');
    EXPECT_EQ(CsvReader{"sku\tname\n"}.delimiter(), '\t');
    EXPECT_EQ(CsvReader{"sku\n1"}.delimiter(), ',');
    EXPECT_EQ(CsvReader{"\"a;b;c\",d\n"}.delimiter(), ',');
}

TEST(Csv, SkipsAByteOrderMarkAndBlankLines) {
    EXPECT_THAT(fields_of("\xEF\xBB\xBF"
                          "a,b\n\n\r\nc,d\n\n"),
                ElementsAre(Fields{"a", "b"}, Fields{"c", "d"}));
    EXPECT_TRUE(rows_of("").empty());
    EXPECT_TRUE(rows_of("\n\n").empty());
}

TEST(Csv, TellsTheLineThatARowStartsIn) {
    const auto rows = rows_of("a\n\"two\nlines\"\nb\n");
    EXPECT_THAT((std::vector{rows[0].line, rows[1].line, rows[2].line}), ElementsAre(1U, 2U, 4U));
}

TEST(Csv, GoesOnAfterTextBehindAClosingQuote) {
    const auto rows = rows_of("a,b\n\"x\"y,1\nc,d\n");
    ASSERT_EQ(rows.size(), 3U);
    EXPECT_THAT(rows[1].fault.value_or(""), testing::HasSubstr("behind a closing quote"));
    EXPECT_EQ(rows[1].raw, "\"x\"y,1");
    EXPECT_EQ(rows[2].fields, (Fields{"c", "d"}));
}

TEST(Csv, NamesAQuoteThatIsNeverClosed) {
    const auto rows = rows_of("a,b\nc,\"d\ne,f\n");
    ASSERT_EQ(rows.size(), 2U);
    EXPECT_EQ(rows[1].fault, "a quote is never closed");
    EXPECT_EQ(rows[1].line, 2U);
}

std::string quoted(const std::string& field) {
    std::string out = "\"";
    for (const char c : field)
        out += c == '"' ? "\"\"" : std::string{c};
    return out + "\"";
}

RC_GTEST_PROP(Csv, ReadsBackWhateverWasQuoted, (const std::vector<std::pair<std::string, std::string>>& table)) {
    std::string text = "a,b\n";
    std::vector<Fields> expected{{"a", "b"}};
    for (const auto& [left, right] : table) {
        text += quoted(left) + "," + quoted(right) + "\n";
        expected.push_back({left, right});
    }
    RC_ASSERT(fields_of(text) == expected);
}

}  // namespace
}  // namespace decant
