#pragma once

#include <cstddef>

namespace decant::trace::detail {

/// Runs of one delivery that are refused alone; then it is no matter of single runs, and of what is refused further no
/// halves are tried.
inline constexpr std::size_t most_searched_for = 16;

}  // namespace decant::trace::detail
