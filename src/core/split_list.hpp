#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <vector>

namespace decant {

/// The parts of `text` between any of `separators`, without blanks around them; empty ones are left out. Views into it.
inline std::vector<std::string_view> split_list(std::string_view text, std::string_view separators = ",") {
    constexpr std::string_view blanks = " \t";
    std::vector<std::string_view> parts;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find_first_of(separators), text.size());
        std::string_view part = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        part.remove_prefix(std::min(part.find_first_not_of(blanks), part.size()));
        part = part.substr(0, part.find_last_not_of(blanks) + 1);
        if (!part.empty()) parts.push_back(part);
    }
    return parts;
}

}  // namespace decant
