#include "chroma/source.hpp"

#include "chroma/directory.hpp"
#include "core/settings.hpp"

namespace decant::chroma {

SourceAddress source_address(const Settings& settings, const std::optional<std::string>& from) {
    return {.from = from ? *from : settings.get("CHROMA_PATH").value_or("data/vector_db")};
}

std::unique_ptr<Source> open_source(const SourceAddress& address) {
    return std::make_unique<Directory>(Directory::open(address.from));
}

}  // namespace decant::chroma
