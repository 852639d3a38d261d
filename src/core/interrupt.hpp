#pragma once

#include <optional>

namespace decant {

/// From now on the first SIGINT or SIGTERM is only noted, for the work to stop at its next edge; the second one ends
/// the process at once with exit code 128 + signal.
void catch_interrupts();

/// The signal that was noted. Thread-safe.
std::optional<int> interrupted() noexcept;

}  // namespace decant
