#pragma once

#include <span>
#include <string_view>

#include "core/enum_names.hpp"

/// catalog/: pure domain values, no I/O.
namespace decant::catalog {

/// Distance space of a collection as Chroma defines it: l2 is squared Euclidean, cosine is 1 - cos, ip is 1 - dot.
enum class Space { l2, cosine, ip };

inline constexpr EnumNames<Space, 3> space_names{{"l2", "cosine", "ip"}};
constexpr std::string_view name_of(Space space) noexcept {
    return space_names[space];
}

/// From -1 to 1; 0 for vectors of different lengths or without a direction.
double cosine(std::span<const float> a, std::span<const float> b) noexcept;

}  // namespace decant::catalog
