#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace decant::catalog {

/// The bytes of a uuid, in the order in which it is written.
using Uuid = std::array<unsigned char, 16>;

/// None when `text` is not 8-4-4-4-12 hexadecimal digits.
std::optional<Uuid> parse_uuid(std::string_view text);
std::string text_of(const Uuid& id);

}  // namespace decant::catalog
