#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "chroma/detail/bus_guard.hpp"
#include "chroma/detail/hnsw_files.hpp"
#include "core/error.hpp"
#include "tests/fuzz/support/scratch.hpp"

// A header (100 bytes), the first byte after it says which share of the rest is length.bin, the other is
// data_level0.bin. Every element that is said to be readable is read.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace decant::chroma;
    static const decant::fuzz::Scratch scratch;
    const std::size_t header_size = std::min<std::size_t>(size, 100);
    const std::size_t rest = size - header_size;
    const std::size_t length_size = rest > 0 ? (rest - 1) * data[header_size] / 255 : 0;
    const std::uint8_t* after = data + header_size + (rest > 0 ? 1 : 0);
    scratch.write("header.bin", {data, header_size});
    scratch.write("length.bin", {after, length_size});
    scratch.write("data_level0.bin", {after + length_size, rest > 0 ? rest - 1 - length_size : 0});
    for (const Space space : {Space::l2, Space::cosine}) {
        try {
            const detail::BusGuard guard;
            const detail::HnswFiles files{scratch.folder(), space};
            std::vector<float> vector(files.layout().dimension);
            if (vector.size() * sizeof(float) > size && files.readable_count() > 0) std::abort();
            for (std::uint64_t element = 0; element < files.norm_count(); ++element) {
                if (files.label(element) != 0 || !files.is_deleted(element)) files.read_vector(element, vector);
            }
        } catch (const decant::Error& error) {
            if (error.code() != decant::ErrorCode::source_unreadable) std::abort();
        }
    }
    return 0;
}
