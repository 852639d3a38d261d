#pragma once

#include <cstddef>
#include <optional>

#include "search/detail/tokens.hpp"

namespace decant::search::detail {

struct PricePhrase {
    std::size_t length;  ///< tokens
    std::optional<double> from;
    std::optional<double> to;
    std::size_t lead_in = 0;  ///< tokens before it that belong to it: "que no cueste"
};

/// What the tokens from `at` on say of a price. "hasta 1500", "between 200 and 300", "$500 o menos"; never of other
/// numbers: "27 pulgadas", "hasta 32gb", "más de 8 núcleos". `from` is never over `to`.
std::optional<PricePhrase> price_phrase(const Tokens& tokens, std::size_t at);

}  // namespace decant::search::detail
