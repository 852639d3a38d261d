#include "chroma/product_key.hpp"

#include "chroma/metadata_text.hpp"

namespace decant::chroma {
namespace {

constexpr std::string_view exported_prefix = "product_";

}  // namespace

ProductKeys::ProductKeys(const ProductNames& names) {
    add_id(names.product_id);
    add_sku(names.sku);
    const bool is_exported = names.record_id.starts_with(exported_prefix);
    add_id(is_exported ? names.record_id.substr(exported_prefix.size()) : names.record_id);
    add_sku(names.record_id);
}

void ProductKeys::add_id(std::string_view text) {
    if (const auto id = catalog::parse_uuid(text)) keys_[count_++] = *id;
}

void ProductKeys::add_sku(std::string_view text) {
    if (!text.empty()) keys_[count_++] = text;
}

ProductNameTexts::ProductNameTexts(const Record& record)
    : product_id(metadata_text(record, "product_id")), sku(metadata_text(record, "sku")), record_id(record.id) {}

}  // namespace decant::chroma
