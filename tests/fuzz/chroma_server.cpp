#include <cstdint>
#include <cstdlib>
#include <string>

#include "chroma/detail/server_page.hpp"
#include "core/error.hpp"

// Whatever a server answers: records whose content is no larger than the answer, or none.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string body{reinterpret_cast<const char*>(data), size};
    decant::chroma::detail::ServerPage page;
    try {
        if (!page.parse(body)) return 0;
    } catch (const decant::Error&) {
        return 0;
    }
    std::size_t content = 0;
    for (const decant::chroma::Record& record : page.records()) {
        content += record.id.size() + record.vector.size();
        if (record.document) content += record.document->size();
        if (record.metadata) content += record.metadata->size();
    }
    if (content > size) std::abort();
    return 0;
}
