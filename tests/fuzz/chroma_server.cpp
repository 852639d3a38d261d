#include <cstdint>
#include <cstdlib>
#include <string>

#include "chroma/detail/server_page.hpp"
#include "core/error.hpp"

namespace {

using decant::chroma::detail::ServerPage;

/// Records whose content is no larger than the answer, or none.
void check(const std::string& answer, bool (ServerPage::*parse)(std::string&)) {
    std::string body = answer;
    ServerPage page;
    try {
        if (!(page.*parse)(body)) return;
    } catch (const decant::Error&) {
        return;
    }
    std::size_t content = page.distances().size();
    if (content != 0 && content != page.records().size()) std::abort();
    for (const decant::chroma::Record& record : page.records()) {
        content += record.id.size() + record.vector.size();
        if (record.document) content += record.document->size();
        if (record.metadata) content += record.metadata->size();
    }
    if (content > answer.size()) std::abort();
}

}  // namespace

// Whatever a server answers, to a request for records and to a question.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string answer{reinterpret_cast<const char*>(data), size};
    check(answer, &ServerPage::parse);
    check(answer, &ServerPage::parse_nearest);
    return 0;
}
