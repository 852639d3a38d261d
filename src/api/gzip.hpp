#pragma once

#include <string>
#include <string_view>

namespace decant::api {

/// `bytes` in gzip's format (RFC 1952).
std::string gzip(std::string_view bytes);

}  // namespace decant::api
