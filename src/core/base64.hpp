#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace decant {

/// RFC 4648, section 4, with padding.
std::string base64(std::string_view bytes);

/// RFC 4648, section 5, without padding.
std::string base64url(std::string_view bytes);

/// The bytes of exactly what base64url() gives for them; none for anything else: padding, blanks, bits that are left
/// over.
std::optional<std::string> decode_base64url(std::string_view text);

}  // namespace decant
