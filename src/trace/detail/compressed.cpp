#include "trace/detail/compressed.hpp"

#include <zstd.h>

#include <stdexcept>

namespace decant::trace::detail {

std::string zstd_compressed(std::string_view bytes) {
    constexpr int level = 3;
    std::string out(ZSTD_compressBound(bytes.size()), '\0');
    const std::size_t size = ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), level);
    if (ZSTD_isError(size) != 0) throw std::runtime_error(ZSTD_getErrorName(size));
    out.resize(size);
    return out;
}

}  // namespace decant::trace::detail
