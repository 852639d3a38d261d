#pragma once

#include <string>
#include <string_view>

namespace decant::api {

enum class Compression { fast, best };

/// Whether an Accept-Encoding (RFC 9110, 12.5.3) takes gzip: by its name, else by "*", and not with a weight of 0.
bool takes_gzip(std::string_view accept_encoding);

/// `bytes` in gzip's format (RFC 1952).
std::string gzip(std::string_view bytes, Compression compression);

}  // namespace decant::api
