#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace decant::trace {

/// UTC, in microseconds as all sinks take them.
using Time = std::chrono::sys_time<std::chrono::microseconds>;

inline Time now() {
    return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
}

/// "2026-11-28T10:00:00.123456Z".
std::string iso_text(Time time);

/// "20261128T100000123456Z", as a dotted order has it.
std::string dotted_text(Time time);

/// None where `text` is not what dotted_text writes.
std::optional<Time> parse_dotted_time(std::string_view text);

}  // namespace decant::trace
