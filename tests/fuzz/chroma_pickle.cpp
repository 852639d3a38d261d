#include "chroma/detail/pickle.hpp"

#include <cstdint>
#include <cstdlib>

#include "core/error.hpp"

// Whatever the bytes: ids that lie within them, or Error{source_unreadable}; nothing else.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto* first = reinterpret_cast<const char*>(data);
    try {
        const auto labels = decant::chroma::detail::read_index_pickle({reinterpret_cast<const std::byte*>(data), size});
        if (labels.entries.size() > size) std::abort();
        for (const auto& [id, label] : labels.entries) {
            if (id.data() < first || id.data() + id.size() > first + size) std::abort();
        }
    } catch (const decant::Error& error) {
        if (error.code() != decant::ErrorCode::source_unreadable) std::abort();
    }
    return 0;
}
