#include "catalog/product_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"

namespace decant::catalog {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<FileRecord> records_of(ProductFile& file) {
    std::vector<FileRecord> records;
    while (auto record = file.next())
        records.push_back(std::move(*record));
    return records;
}

std::vector<FileRecord> records_of(std::string_view text) {
    ProductFile file{text, format_of(text)};
    return records_of(file);
}

std::string refusal_of(std::string_view text) {
    try {
        records_of(text);
    } catch (const Error& error) {
        return error.happened();
    }
    return "";
}

TEST(ProductFile, KnowsAFormatByItsStart) {
    EXPECT_EQ(format_of("\xEF\xBB\xBF [{}]"), FileFormat::json);
    EXPECT_EQ(format_of("\n{\"sku\":1}"), FileFormat::jsonl);
    EXPECT_EQ(format_of("sku,name"), FileFormat::csv);
    EXPECT_EQ(format_of(""), FileFormat::csv);
}

TEST(ProductFile, ReadsTheSameProductFromEveryFormat) {
    for (const std::string_view text : {"SKU, Name ,category_name,price\nA-1,Mouse,mouses,10.5\n",
                                        R"([{"sku":"A-1","name":"Mouse","category_name":"mouses","price":10.5}])",
                                        R"({"sku":"A-1","name":"Mouse","category":"mouses","price":"10,5"})"}) {
        const auto records = records_of(text);
        ASSERT_EQ(records.size(), 1U) << text;
        EXPECT_EQ(records[0].fault, std::nullopt) << text;
        EXPECT_EQ(records[0].product.sku, "A-1");
        EXPECT_EQ(records[0].product.name, "Mouse");
        EXPECT_EQ(records[0].product.category, "mouses");
        EXPECT_EQ(records[0].product.price, 10.5);
    }
}

TEST(ProductFile, GivesEachBadRecordItsLineAndGoesOn) {
    const auto records = records_of("sku,price\nA,1\nB\nC,x\n\"D\n\",4\nE,5\n");
    ASSERT_EQ(records.size(), 5U);
    EXPECT_EQ(records[1].fault, "has 1 fields, the header 2");
    EXPECT_THAT(records[2].fault.value_or(""), HasSubstr("price 'x'"));
    EXPECT_EQ(records[2].line, 4U);
    EXPECT_EQ(records[4].line, 7U);
    EXPECT_EQ(records[4].fault, std::nullopt);
}

TEST(ProductFile, GoesOnAfterALineThatIsNoJson) {
    const auto records = records_of("{\"sku\":\"A\"}\n{broken\n\n[1]\n{\"sku\":\"B\"}");
    ASSERT_EQ(records.size(), 4U);
    EXPECT_THAT(records[1].fault.value_or(""), HasSubstr("is no JSON"));
    EXPECT_EQ(records[2].fault, "is no JSON object");
    EXPECT_EQ(records[3].line, 5U);
}

TEST(ProductFile, NamesUnknownColumnsOnce) {
    const std::string_view text = "{\"sku\":1,\"colour\":2}\n{\"sku\":2,\"colour\":3,\"size\":1}";
    ProductFile file{text, FileFormat::jsonl};
    EXPECT_EQ(records_of(file)[0].product.sku, "1");
    EXPECT_THAT(file.unknown_columns(), ElementsAre("colour", "size"));
}

TEST(ProductFile, RefusesAFileThatIsNone) {
    EXPECT_THAT(refusal_of("name,price\na,1"), HasSubstr("neither a column id nor sku"));
    EXPECT_THAT(refusal_of(""), HasSubstr("neither a column id nor sku"));
    EXPECT_THAT(refusal_of("sku,brand,brand_name\n"), HasSubstr("Two columns of the product file mean 'brand'"));
    EXPECT_THAT(refusal_of("[{\"sku\":1},"), HasSubstr("no array of JSON objects"));
    EXPECT_THAT(refusal_of("\xFF\xFEs\0k\0"), HasSubstr("UTF-16"));
    EXPECT_THAT(refusal_of(std::string(100'000, '[')), HasSubstr("no array of JSON objects"));
}

}  // namespace
}  // namespace decant::catalog
