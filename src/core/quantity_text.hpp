#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace decant {

/// "1,234,567"
std::string grouped(std::uint64_t number);

/// Decimal units, three significant digits: "512 B", "30.7 kB", "1.54 MB".
std::string bytes_text(std::uint64_t bytes);

/// "0:07", "12:40", "1:02:03"
std::string clock_text(std::chrono::seconds duration);

}  // namespace decant
