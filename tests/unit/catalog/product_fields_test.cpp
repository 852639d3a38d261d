#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "catalog/product.hpp"

namespace decant::catalog {
namespace {

using testing::HasSubstr;

struct Set {
    Product product;
    std::optional<std::string> fault;
};

Set set(std::string_view column, std::string_view text, bool is_number = false) {
    Set out;
    const ProductField* field = find_field(column);
    EXPECT_NE(field, nullptr) << column;
    if (field != nullptr) out.fault = set_field(out.product, *field, {text, is_number});
    return out;
}

TEST(ProductFields, TakesMoneyWithAPointOrAComma) {
    const std::vector<std::pair<std::string_view, double>> prices{{"1234", 1234},
                                                                  {"1234.5", 1234.5},
                                                                  {"1234,56", 1234.56},
                                                                  {"0.650", 0.65},
                                                                  {"1.234,56", 1234.56},
                                                                  {"1,234.56", 1234.56},
                                                                  {"1.234.567,89", 1234567.89},
                                                                  {"1.234.567", 1234567},
                                                                  {" 99.90 ", 99.9},
                                                                  {"0", 0},
                                                                  {"10000.999", 10000.999}};
    for (const auto& [text, value] : prices) {
        const Set done = set("price", text);
        EXPECT_EQ(done.fault, std::nullopt) << text;
        EXPECT_EQ(done.product.price, value) << text;
    }
}

TEST(ProductFields, NeverGuessesMoney) {
    for (const std::string_view text : {"1.234", "12,345", "-1", "+5", "1e3", "$ 10", "10 USD", "abc", "1.2.3", "1,2,3",
                                        ".5", "5.", "1..2", "NaN", "inf", "0x10", "1.23,456,7", "1234,567.8"}) {
        const Set done = set("price", text);
        EXPECT_TRUE(done.fault) << text;
        EXPECT_EQ(done.product.price, std::nullopt) << text;
    }
    EXPECT_THAT(*set("price", "1.234").fault, HasSubstr("thousands or decimals"));
}

TEST(ProductFields, TakesAJsonNumberAsItStands) {
    EXPECT_EQ(set("price", "1.234", true).product.price, 1.234);
    EXPECT_EQ(set("price", "0.30000000000000004", true).product.price, 0.30000000000000004);
    EXPECT_EQ(set("weight", "1e-07", true).product.weight, 1e-7);
    EXPECT_TRUE(set("price", "-1.0", true).fault);
    EXPECT_TRUE(set("price", "1e999", true).fault);
}

TEST(ProductFields, RefusesMoneyThatADoubleDoesNotHold) {
    EXPECT_EQ(set("price", "123456789012.345").fault, std::nullopt);
    EXPECT_THAT(set("price", "1234567890123.456").fault.value_or(""), HasSubstr("more than 15 digits"));
    EXPECT_EQ(set("weight", "0.00123456789012345").fault, std::nullopt);
    EXPECT_TRUE(set("weight", "0.1234567890123456").fault);
}

TEST(ProductFields, HoldsCostPriceToItsColumn) {
    EXPECT_EQ(set("cost_price", "99999999.99").fault, std::nullopt);
    EXPECT_TRUE(set("cost_price", "100000000").fault);
    EXPECT_TRUE(set("cost_price", "1234.567").fault);
}

TEST(ProductFields, TakesStockAsAWholeNumberOnly) {
    EXPECT_EQ(set("stock", "12").product.stock, 12);
    for (const std::string_view text : {"-1", "1.5", "1,000", "2147483648", "x", "1 "}) {
        EXPECT_EQ(set("stock", text).fault.has_value(), text != "1 ") << text;
    }
}

TEST(ProductFields, ReadsTruthInEnglishAndSpanish) {
    for (const std::string_view text : {"true", "1", "YES", "Si", "sí", "t"})
        EXPECT_EQ(set("active", text).product.active, true) << text;
    for (const std::string_view text : {"false", "0", "No", "f"})
        EXPECT_EQ(set("active", text).product.active, false) << text;
    EXPECT_TRUE(set("active", "maybe").fault);
}

TEST(ProductFields, CountsCharactersAndNotBytes) {
    std::string fits;
    for (int i = 0; i < 255; ++i)
        fits += "ñ";
    EXPECT_EQ(set("name", fits).fault, std::nullopt);
    EXPECT_THAT(set("name", fits + "x").fault.value_or(""), HasSubstr("256 characters, more than 255"));
}

TEST(ProductFields, RefusesWhatPostgresCannotHold) {
    EXPECT_THAT(set("name", std::string_view{"a\0b", 3}).fault.value_or(""), HasSubstr("U+0000"));
    EXPECT_THAT(set("name", "caf\xE9").fault.value_or(""), HasSubstr("no UTF-8"));
    EXPECT_THAT(set("technical_specs", R"({"a":["x\u0000"]})").fault.value_or(""), HasSubstr("U+0000"));
    EXPECT_THAT(set("description", std::string(most_text_bytes + 1, 'x')).fault.value_or(""), HasSubstr("bytes"));
}

TEST(ProductFields, TakesJsonOfLimitedDepth) {
    EXPECT_EQ(set("features", R"( ["a", 1] )").product.features, R"(["a",1])");
    EXPECT_TRUE(set("features", "text").fault);
    EXPECT_TRUE(set("features", "{").fault);
    EXPECT_TRUE(set("features", std::string(10'000, '[') + std::string(10'000, ']')).fault);
}

TEST(ProductFields, KnowsEachColumnAndItsAlias) {
    EXPECT_EQ(find_field("category_name"), find_field("category"));
    EXPECT_EQ(find_field("brand_name"), find_field("brand"));
    EXPECT_EQ(find_field("embedding"), nullptr);
    for (const ProductField& field : product_fields())
        EXPECT_EQ(find_field(field.column), &field);
}

TEST(ProductFields, LeavesOutWhatIsEmpty) {
    const Set done = set("price", "  ");
    EXPECT_EQ(done.fault, std::nullopt);
    EXPECT_EQ(value_text(done.product, *find_field("price")), std::nullopt);
    EXPECT_EQ(set("id", "no-uuid").fault, "id 'no-uuid' is no UUID");
}

}  // namespace
}  // namespace decant::catalog
