#include "catalog/similarity.hpp"

#include <cmath>

namespace decant::catalog {

double cosine(std::span<const float> a, std::span<const float> b) noexcept {
    if (a.size() != b.size()) return 0;
    double product = 0;
    double squares_a = 0;
    double squares_b = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        const auto x = static_cast<double>(a[i]);
        const auto y = static_cast<double>(b[i]);
        product += x * y;
        squares_a += x * x;
        squares_b += y * y;
    }
    return squares_a > 0 && squares_b > 0 ? product / std::sqrt(squares_a * squares_b) : 0;
}

}  // namespace decant::catalog
