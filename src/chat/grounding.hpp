#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "search/hit.hpp"

namespace decant::chat {

/// What an answer says and nothing that was found does.
struct GroundingFault {
    std::string what;  ///< "a price that no row has: 1,999"; fit to be shown
};

/// The first fault of an answer that an LLM wrote; none: it names only prices, stocks and products of `products`, and
/// numbers and words of the question. Spanish and English. Pure; any thread.
///
/// Found are: links and images but those of the products' own images, addresses, markup, marks that nobody sees, talk
/// of the LLM's own instructions; prices, discounts, and figures that could be prices; counts of what is in stock;
/// names that are quoted, bold, or head an item of a list, names of which the text makes proper nouns, and codes of
/// models. It errs towards finding: whoever asks has another answer to give. What is said of a product in common words
/// is not checked.
std::optional<GroundingFault> find_ungrounded(std::string_view answer, std::span<const search::Hit> products,
                                              std::string_view question);

}  // namespace decant::chat
