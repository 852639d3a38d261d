#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "catalog/product.hpp"
#include "core/sha256.hpp"

namespace decant::catalog {

/// How a product becomes the text that is embedded. A recipe never changes; a better one gets a name of its own.
enum class TextRecipe : std::uint8_t {
    labelled,     ///< every field with its label, for models that read long texts well
    title_first,  ///< the name twice and the start of the description, for models that long texts dilute
};

/// As it stands in a model's fingerprint: "labelled-1", "title-first-1".
std::string_view name_of(TextRecipe recipe) noexcept;

/// labelled: "Product: N. Brand: B. Category: C. Model: M. Description: D. Specifications: S. Technical: k: v, k: v.
/// Features: f, f" with at most 500 characters of D and 300 of S. title_first: "N. N. B. C. " and the first 25 words of
/// D. Empty parts are left out, blanks around a part too; characters are never cut in two. The members of JSON objects
/// keep their order, which jsonb fixes. Empty when the product has none of the fields.
std::string embedding_text(const Product& product, TextRecipe recipe);

/// Equal for equal texts to a model of the same fingerprint, and only then: such a text need not be embedded again.
Digest embedding_hash(std::string_view fingerprint, std::string_view text);

}  // namespace decant::catalog
