#pragma once

#include <chrono>
#include <optional>
#include <stop_token>

namespace decant {

/// From now on the first SIGINT or SIGTERM is only noted, for the work to stop at its next edge; the second one ends
/// the process at once with exit code 128 + signal.
void catch_interrupts();

/// The signal that was noted. Thread-safe.
std::optional<int> interrupted() noexcept;

/// In its place for a server: the first SIGINT or SIGTERM is told by is_end_asked() and not by interrupted(), so that
/// what is under way goes on; the second one ends the process in the same way.
void catch_ends();

/// Thread-safe.
bool is_end_asked() noexcept;

/// From now on SIGHUP is noted in the place of ending the process.
void catch_hangups();

/// True once for every SIGHUP, or several that came close together. Thread-safe.
bool take_hangup() noexcept;

/// False as soon as a signal was noted, or `stop` asked for. Thread-safe.
bool sleep_unless_interrupted(std::chrono::milliseconds span, const std::stop_token& stop = {});

}  // namespace decant
