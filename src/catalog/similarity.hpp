#pragma once

#include <string_view>

/// catalog/: pure domain values, no I/O.
namespace decant::catalog {

/// Distance space of a collection as Chroma defines it: l2 is squared Euclidean, cosine is 1 - cos, ip is 1 - dot.
enum class Space { l2, cosine, ip };

/// "l2", "cosine", "ip".
std::string_view name_of(Space space) noexcept;

}  // namespace decant::catalog
