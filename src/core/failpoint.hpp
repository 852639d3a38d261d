#pragma once

#include <atomic>
#include <string_view>

namespace decant {

namespace detail {
inline std::atomic<bool> has_armed_failpoints{false};
void pass_failpoint(std::string_view name);
}  // namespace detail

/// A named point at which a test can let the process die. Costs one relaxed load unless something is armed.
inline void failpoint(std::string_view name) {
    if (detail::has_armed_failpoints.load(std::memory_order_relaxed)) detail::pass_failpoint(name);
}

/// Arms the points of `list`, separated by commas: NAME:N kills the process (SIGKILL) when NAME is passed for the N-th
/// time, NAME:N:interrupt sends it SIGINT there, NAME:N:error throws Error{internal}. What was armed before is
/// forgotten. Thread-safe.
/// Throws Error{config_invalid} for a name that is not in failpoint_names.hpp and for what is no such list.
void arm_failpoints(std::string_view list);

}  // namespace decant
