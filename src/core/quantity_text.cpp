#include "core/quantity_text.hpp"

#include <array>
#include <string_view>

#include <fmt/format.h>

namespace decant {

std::string grouped(std::uint64_t number) {
    std::string text = fmt::format("{}", number);
    for (std::size_t position = text.size(); position > 3; position -= 3)
        text.insert(position - 3, ",");
    return text;
}

std::string bytes_text(std::uint64_t bytes) {
    constexpr std::array<std::string_view, 5> units{"B", "kB", "MB", "GB", "TB"};
    auto amount = static_cast<double>(bytes);
    std::size_t unit = 0;
    while (amount >= 999.5 && unit + 1 < units.size()) {
        amount /= 1000;
        ++unit;
    }
    const int decimals = unit == 0 || amount >= 99.95 ? 0 : (amount >= 9.995 ? 1 : 2);
    return fmt::format("{:.{}f} {}", amount, decimals, units[unit]);
}

std::string clock_text(std::chrono::seconds duration) {
    const auto seconds = duration.count();
    if (seconds < 3600) return fmt::format("{}:{:02}", seconds / 60, seconds % 60);
    return fmt::format("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

}  // namespace decant
