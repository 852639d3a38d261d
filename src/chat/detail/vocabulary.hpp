#pragma once

#include <optional>
#include <string_view>

namespace decant::chat::detail {

/// Words in lower case without accents, Spanish and English together.

/// What answers are worded with, whoever sells what: no name of a product.
bool is_common(std::string_view folded);
/// What a number may count or measure that is no price and no stock.
bool is_unit(std::string_view folded);
bool is_currency(std::string_view folded);
/// A number before them counts what is in stock.
bool follows_stock(std::string_view folded);
/// A number after them counts what is in stock.
bool announces_stock(std::string_view folded);
/// A number after them is a price.
bool announces_price(std::string_view folded);
bool is_discount(std::string_view folded);
/// Between one that announces and its number.
bool is_filler(std::string_view folded);
/// Products themselves are counted with it.
bool counts_products(std::string_view folded);

/// "dos", "twenty", "quinientos", "mil"; none for other words.
std::optional<double> number_word(std::string_view folded);

}  // namespace decant::chat::detail
