#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace decant::catalog {

/// One product as it comes in. A member that is not set leaves what the table has; a new product gets the column's
/// default. Texts are UTF-8; the five JSON members hold an object or an array as JSON text.
struct Product {
    std::optional<std::string> id = {};  ///< a UUID
    std::optional<std::string> sku = {};
    std::optional<std::string> name = {};
    std::optional<std::string> model = {};
    std::optional<std::string> specs = {};
    std::optional<std::string> description = {};
    std::optional<std::string> short_description = {};
    std::optional<std::string> external_code = {};
    std::optional<std::string> barcode = {};
    std::optional<std::string> image_url = {};
    std::optional<std::string> category = {};  ///< its name; made when missing, as are subcategory and brand
    std::optional<std::string> category_display_name = {};
    std::optional<std::string> subcategory = {};
    std::optional<std::string> brand = {};
    std::optional<double> price = {};
    std::optional<double> original_price = {};
    std::optional<double> cost_price = {};
    std::optional<double> cost = {};
    std::optional<double> tax_percentage = {};
    std::optional<double> weight = {};
    std::optional<std::int32_t> stock = {};
    std::optional<std::int32_t> min_stock = {};
    std::optional<bool> active = {};
    std::optional<bool> featured = {};
    std::optional<bool> on_sale = {};
    std::optional<std::string> technical_specs = {};
    std::optional<std::string> features = {};
    std::optional<std::string> images = {};
    std::optional<std::string> dimensions = {};
    std::optional<std::string> meta_data = {};
};

/// A reference is the name of a row of another table.
enum class FieldKind { text, reference, uuid, number, money, count, truth, json };

/// A member of Product: the column that it is read from and written to, and what it takes.
struct ProductField {
    using Member = std::variant<std::optional<std::string> Product::*, std::optional<double> Product::*,
                                std::optional<std::int32_t> Product::*, std::optional<bool> Product::*>;
    std::string_view column;
    Member member;
    FieldKind kind;
    std::size_t most_characters = 0;  ///< of a text; 0: no limit but most_text_bytes
};

inline constexpr std::size_t most_text_bytes = 1024UL * 1024;

/// One a member, in the order of Product.
std::span<const ProductField> product_fields() noexcept;

/// The field that a column of a file means: by its name, category_name and brand_name too. Null when there is none.
const ProductField* find_field(std::string_view column) noexcept;

/// A value of a file.
struct Cell {
    std::string_view text;
    bool is_number = false;  ///< a number of JSON: 1.234 is no thousand and a bit there
};

/// Sets the member; an empty text leaves it unset. The reason why the text is no value of this field, if it is none:
/// money is never rounded and never guessed.
std::optional<std::string> set_field(Product& product, const ProductField& field, Cell cell);

/// The member's value as PostgreSQL reads it; none when it is not set.
std::optional<std::string> value_text(const Product& product, const ProductField& field);

}  // namespace decant::catalog
