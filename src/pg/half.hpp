#pragma once

#include <cstdint>

namespace decant::pg {

/// IEEE 754 binary16 of a float, rounded to nearest even: bit-equal to pgvector's cast from vector to halfvec.
std::uint16_t half_of(float value) noexcept;

float float_of(std::uint16_t half) noexcept;

constexpr bool is_infinite_half(std::uint16_t half) noexcept {
    return (half & 0x7fffU) == 0x7c00U;
}

}  // namespace decant::pg
