#include "chroma/product_key.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace decant::chroma {
namespace {

constexpr const char* first = "00000000-0000-0000-0000-000000000001";
constexpr const char* second = "00000000-0000-0000-0000-00000000000A";

/// "id 0…1", "sku x", in their order.
std::vector<std::string> keys_of(const ProductNames& names) {
    std::vector<std::string> out;
    for (const ProductKey& key : ProductKeys{names}) {
        const auto* id = std::get_if<catalog::Uuid>(&key);
        out.push_back(id != nullptr ? "id " + catalog::text_of(*id) : "sku " + std::string{std::get<1>(key)});
    }
    return out;
}

TEST(ProductKeys, TryTheMetadataBeforeTheRecordsOwnId) {
    EXPECT_THAT(keys_of({first, "LAP-1", second}),
                testing::ElementsAre(std::string{"id "} + first, "sku LAP-1", "id 00000000-0000-0000-0000-00000000000a",
                                     std::string{"sku "} + second));
}

TEST(ProductKeys, LeaveOutWhatSaysNothing) {
    EXPECT_THAT(keys_of({"", "", "LAP-1"}), testing::ElementsAre("sku LAP-1"));
    EXPECT_THAT(keys_of({"no uuid", "", "LAP-1"}), testing::ElementsAre("sku LAP-1"));
    EXPECT_THAT(keys_of({"", "", ""}), testing::IsEmpty());
}

TEST(ProductKeys, ReadTheIdThatTheExportWrites) {
    const std::string exported = std::string{"product_"} + first;
    EXPECT_THAT(keys_of({"", "", exported}), testing::ElementsAre(std::string{"id "} + first, "sku " + exported));
}

TEST(ProductNameTexts, AreTheMetadatasTextsWhateverTheirTypes) {
    const std::vector<MetadataEntry> metadata{{"sku", Scalar{std::int64_t{4711}}}, {"product_id", Scalar{true}}};
    const Record record{.id = "r", .document = {}, .metadata = metadata, .vector = {}};
    const ProductNameTexts texts{record};
    EXPECT_EQ(texts.names().sku, "4711");
    EXPECT_EQ(texts.names().product_id, "true");
    EXPECT_EQ(texts.names().record_id, "r");
}

}  // namespace
}  // namespace decant::chroma
