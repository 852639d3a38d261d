#pragma once

#include <string_view>

namespace decant::net {

/// As RFC 9110 and 6585 word it: "Not Found" for 404. Empty for a status that nothing here answers with.
std::string_view reason_phrase(int status) noexcept;

}  // namespace decant::net
