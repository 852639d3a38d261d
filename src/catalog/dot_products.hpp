#pragma once

#include <cstddef>
#include <span>

namespace decant::catalog {

/// Rows of vectors that are compared with one another are filled up with zeros to a multiple of this.
inline constexpr std::size_t row_floats = 16;

constexpr std::size_t padded_length(std::size_t dimension) noexcept {
    return (dimension + row_floats - 1) / row_floats * row_floats;
}

/// out[i] = the dot product of `query` and row i of `rows`, summed in float32. `query` is of a padded length, `rows`
/// holds out.size() rows of that length one after the other. Uses what the processor has, up to AVX-512.
void dot_products(const float* rows, std::span<const float> query, std::span<float> out) noexcept;

}  // namespace decant::catalog
