#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "sync/record_pages.hpp"

namespace decant::sync {
namespace {

using testing::HasSubstr;

TEST(FilePages, GiveTheRecordsOfAFileBySku) {
    const std::string text = "sku,name,price,shade\nA-1,Mate,\"1.234,56\",red\nA-2,Yerba,,blue\n";
    FilePages pages{text};
    const std::optional<Page> page = pages.next();
    ASSERT_TRUE(page);
    ASSERT_EQ(page->items.size(), 2U);
    EXPECT_EQ(page->items[0].key, "A-1");
    EXPECT_TRUE(page->items[0].has_sku);
    EXPECT_EQ(page->items[0].product.price, 1234.56);
    EXPECT_EQ(page->items[0].raw, R"({"sku":"A-1","name":"Mate","price":"1.234,56","shade":"red"})");
    EXPECT_EQ(page->items[1].product.price, std::nullopt) << "what is not said is not set";
    EXPECT_FALSE(pages.next());
    EXPECT_THAT(pages.unknown_columns(), testing::ElementsAre("shade"));
}

TEST(FilePages, LeaveARecordWithoutSkuToQuarantine) {
    const std::string text = R"({"name": "Mate", "price": 3})";
    const Page page = FilePages{text}.next().value();
    EXPECT_EQ(page.items[0].fault, "it has no sku");
    EXPECT_FALSE(page.items[0].has_sku);
}

TEST(FilePages, LeaveAnAmbiguousPriceToQuarantineWithItsRecord) {
    const std::string text = "sku,price\nA-1,1.234\n";
    const Page page = FilePages{text}.next().value();
    ASSERT_TRUE(page.items[0].fault);
    EXPECT_THAT(*page.items[0].fault, HasSubstr("1.234"));
    EXPECT_THAT(page.items[0].raw, HasSubstr("1.234"));
    EXPECT_EQ(page.items[0].key, "A-1");
}

TEST(FilePages, TellTheSkuOfARecordWhateverElseIsWrongWithIt) {
    for (const std::string text : {"price,sku\nN/D,A-1\n", "sku,name,price\nA-1,Mate\n", "sku,name\nA-1,\"12\" tv\n",
                                   R"({"price": "N/D", "sku": "A-1"})", R"([{"stock": -1, "sku": "A-1"}])"}) {
        const Page page = FilePages{text}.next().value();
        EXPECT_TRUE(page.items[0].fault) << text;
        EXPECT_TRUE(page.items[0].has_sku) << text;
        EXPECT_EQ(page.items[0].key, "A-1") << text;
    }
}

TEST(FilePages, TellNoSkuWhereItMayBeAnother) {
    for (const std::string text :
         {"name,sku,price\nMate, grande,A-1,5\n", "name,sku\n\"12\" tv,A-1\n", "sku,name\n\"A\"-1,Mate\n",
          "sku,name\nA-1,\"Mate\nA-2,Yerba\n", "sku,name,price\nA-1,\"Mate\nA-2,Yerba\"\n", R"({"sku": "A-1)"}) {
        const Page page = FilePages{text}.next().value();
        EXPECT_TRUE(page.items[0].fault) << text;
        EXPECT_FALSE(page.items[0].has_sku) << text;
    }
}

TEST(FilePages, AreOfALimitedSizeAndCountOn) {
    std::string text = "sku\n";
    for (int i = 0; i < 4500; ++i)
        text += "S" + std::to_string(i) + "\n";
    FilePages pages{text};
    std::vector<std::size_t> sizes;
    std::size_t expected = 0;
    while (const auto page = pages.next()) {
        EXPECT_EQ(page->offset, expected);
        expected += page->items.size();
        sizes.push_back(page->items.size());
    }
    EXPECT_THAT(sizes, testing::ElementsAre(2000U, 2000U, 500U));
}

TEST(FilePages, RefuseAFileWithoutKeys) {
    EXPECT_THROW(FilePages{"name\nMate\n"}, Error);
}

}  // namespace
}  // namespace decant::sync
