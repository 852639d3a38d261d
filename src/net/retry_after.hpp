#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace decant::net {

/// What the header Retry-After asks to wait for: seconds, or until a date (RFC 9110, 10.2.3), which may have passed.
/// None where it is neither.
std::optional<std::chrono::milliseconds> retry_after(std::string_view value);

}  // namespace decant::net
