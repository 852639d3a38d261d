#pragma once

#include <string>
#include <string_view>

namespace decant::trace::detail {

/// The same for the same name: RFC 9562, version 8, of its SHA-256. What is sent twice under it is there once.
std::string named_uuid(std::string_view name);

}  // namespace decant::trace::detail
