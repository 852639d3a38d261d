#include "api/gzip.hpp"

#include <zlib.h>

#include <new>
#include <stdexcept>

#include "core/split_list.hpp"
#include "net/http_head.hpp"

namespace decant::api {
namespace {

/// "q=0", "q=0.000"
bool is_zero_weight(std::string_view parameter) {
    return net::equals_ignoring_case(parameter.substr(0, 2), "q=") &&
           parameter.find_first_not_of("0.", 2) == std::string_view::npos;
}

}  // namespace

bool takes_gzip(std::string_view accept_encoding) {
    bool takes_any = false;
    for (const std::string_view coding : split_list(accept_encoding)) {
        const std::vector<std::string_view> parts = split_list(coding, ";");
        if (parts.empty()) continue;
        const bool is_taken = parts.size() < 2 || !is_zero_weight(parts[1]);
        if (net::equals_ignoring_case(parts[0], "gzip")) return is_taken;
        if (parts[0] == "*") takes_any = is_taken;
    }
    return takes_any;
}

std::string gzip(std::string_view bytes, Compression compression) {
    constexpr int gzip_window = 15 + 16;  // 16: gzip's header and trailer in the place of zlib's
    const int level = compression == Compression::best ? Z_BEST_COMPRESSION : 4;
    z_stream stream{};
    if (deflateInit2(&stream, level, Z_DEFLATED, gzip_window, 8, Z_DEFAULT_STRATEGY) != Z_OK) throw std::bad_alloc{};
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
