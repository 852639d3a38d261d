#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace decant {

/// The names of an enum's values, which count from 0, in their order.
template <typename Enum, std::size_t count>
struct EnumNames {
    std::array<std::string_view, count> names;

    constexpr std::string_view operator[](Enum value) const noexcept { return names[static_cast<std::size_t>(value)]; }

    /// None where no value has this name.
    constexpr std::optional<Enum> find(std::string_view name) const noexcept {
        const auto found = std::ranges::find(names, name);
        return found == names.end() ? std::nullopt : std::optional{static_cast<Enum>(found - names.begin())};
    }
};

}  // namespace decant
