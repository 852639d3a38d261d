#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <variant>

#include "catalog/uuid.hpp"
#include "chroma/record.hpp"

namespace decant::chroma {

/// What a record of a product collection says of its product; an empty text says nothing. Views into the record, or
/// into what keeps its texts.
struct ProductNames {
    std::string_view product_id;  ///< of the metadata
    std::string_view sku;         ///< of the metadata
    std::string_view record_id;
};

/// A product's id, or its sku (never empty; a view into the names).
using ProductKey = std::variant<catalog::Uuid, std::string_view>;

/// The keys under which a record's product is looked for, in this order: the first one that the catalog has is it.
/// These are metadata product_id, metadata sku, the record's own id as the product's id (also behind "product_", as the
/// catalog's export writes it), the record's own id as sku.
class ProductKeys {
public:
    static constexpr std::size_t most = 4;

    explicit ProductKeys(const ProductNames& names);
    const ProductKey* begin() const noexcept { return keys_.data(); }
    const ProductKey* end() const noexcept { return keys_.data() + count_; }

private:
    void add_id(std::string_view text);
    void add_sku(std::string_view text);

    std::array<ProductKey, most> keys_;
    std::size_t count_ = 0;
};

/// The names of a record in texts of their own.
struct ProductNameTexts {
    explicit ProductNameTexts(const Record& record);
    ProductNames names() const noexcept { return {product_id, sku, record_id}; }

    std::string product_id;
    std::string sku;
    std::string_view record_id;  ///< of the record
};

}  // namespace decant::chroma
