#pragma once

#include "search/detail/tokens.hpp"
#include "search/understanding.hpp"

namespace decant::search::detail {

/// Puts the categories, subcategories and brands that the tokens name into `out`, where it is certain that products of
/// them are looked for: "mouse pad" is no mouse, "funda para notebook" no notebook, "notebook intel" is not made by
/// Intel. The tokens stay what is searched for.
void read_names(const Tokens& tokens, const Vocabulary& vocabulary, Understood& out);

}  // namespace decant::search::detail
