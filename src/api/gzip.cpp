#include "api/gzip.hpp"

#include <zlib.h>

#include <new>
#include <stdexcept>

namespace decant::api {

std::string gzip(std::string_view bytes) {
    constexpr int gzip_window = 15 + 16;  // 16: gzip's header and trailer in the place of zlib's
    constexpr int fast = 4;
    z_stream stream{};
    if (deflateInit2(&stream, fast, Z_DEFLATED, gzip_window, 8, Z_DEFAULT_STRATEGY) != Z_OK) throw std::bad_alloc{};
    std::string out(deflateBound(&stream, bytes.size()) + 18, '\0');
    std::string in{bytes};
    stream.next_in = reinterpret_cast<Bytef*>(in.data());
    stream.avail_in = static_cast<uInt>(in.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    const int ended = deflate(&stream, Z_FINISH);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    if (ended != Z_STREAM_END) throw std::runtime_error("deflate did not end");
    return out;
}

}  // namespace decant::api
