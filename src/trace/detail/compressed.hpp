#pragma once

#include <string>
#include <string_view>

namespace decant::trace::detail {

/// As one frame of Zstandard (RFC 8878), at its fastest usual level.
std::string zstd_compressed(std::string_view bytes);

}  // namespace decant::trace::detail
