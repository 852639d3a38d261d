#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "chroma/detail/json.hpp"

namespace {

std::size_t text_bytes(const decant::chroma::detail::Json& json) {
    using namespace decant::chroma::detail;
    std::size_t bytes = 0;
    if (const auto* text = json.text()) bytes += text->size();
    if (const auto* array = std::get_if<JsonArray>(&json.value)) {
        for (const Json& item : *array)
            bytes += text_bytes(item);
    }
    if (const auto* object = std::get_if<JsonObject>(&json.value)) {
        for (const auto& [name, value] : *object)
            bytes += name.size() + text_bytes(value);
    }
    return bytes;
}

}  // namespace

// Whatever the bytes: a value whose texts are no longer than the input, or none.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto json = decant::chroma::detail::parse_json({reinterpret_cast<const char*>(data), size});
    if (json && text_bytes(*json) > size) std::abort();
    return 0;
}
