#pragma once

#include <cstddef>
#include <optional>

#include "search/detail/tokens.hpp"

namespace decant::search::detail {

/// A number that may be a price.
struct Amount {
    std::size_t length;  ///< tokens, with its currency
    double value;
    bool has_currency;
};

/// "1500", "1.500", "$1,500.50", "1k", "2 mil", "quinientos dólares", "USD 500"; none where the number counts something
/// else ("27 pulgadas", "32 gb") or names a model, and none under 10 without a currency.
std::optional<Amount> amount_at(const Tokens& tokens, std::size_t at);

}  // namespace decant::search::detail
