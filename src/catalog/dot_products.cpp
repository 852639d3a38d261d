#include "catalog/dot_products.hpp"

#include <cstring>

namespace decant::catalog {
namespace {

using Lanes = float __attribute__((vector_size(row_floats * sizeof(float))));

/// Two sums a row, so that one addition need not wait for the last. By memcpy because floats are aligned as floats, and
/// without calls of inline functions, which clang leaves without a body in a clone.
__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"))) void dot_rows(const float* rows,
                                                                                            const float* query,
                                                                                            std::size_t length,
                                                                                            float* out, float* end) {
    for (; out != end; ++out) {
        Lanes even{};
        Lanes odd{};
        Lanes left;
        Lanes right;
        std::size_t i = 0;
        for (; i + 2 * row_floats <= length; i += 2 * row_floats) {
            std::memcpy(&left, rows + i, sizeof left);
            std::memcpy(&right, query + i, sizeof right);
            even += left * right;
            std::memcpy(&left, rows + i + row_floats, sizeof left);
            std::memcpy(&right, query + i + row_floats, sizeof right);
            odd += left * right;
        }
        if (i < length) {
            std::memcpy(&left, rows + i, sizeof left);
            std::memcpy(&right, query + i, sizeof right);
            even += left * right;
        }
        even += odd;
        *out = 0;
        for (std::size_t lane = 0; lane < row_floats; ++lane)
            *out += even[lane];
        rows += length;
    }
}

}  // namespace

void dot_products(const float* rows, std::span<const float> query, std::span<float> out) noexcept {
    dot_rows(rows, query.data(), query.size(), out.data(), out.data() + out.size());
}

}  // namespace decant::catalog
