#include "chat/grounding.hpp"

#include <array>
#include <cstdint>
#include <cstdlib>

/// Whatever an LLM writes: a fault in words, or none; a link in it is always one.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using decant::search::Hit;
    static const std::array<Hit, 2> products{Hit{.id = "3f2a9c1e-0000-4000-8000-000000000001",
                                                 .sku = "TAL-750",
                                                 .name = "Taladro percutor Bosch GSB 13 750W",
                                                 .brand = "Bosch",
                                                 .category = "Herramientas",
                                                 .price = 1299.5,
                                                 .stock = 7},
                                             Hit{.id = "3f2a9c1e-0000-4000-8000-000000000002",
                                                 .sku = "",
                                                 .name = "Notebook Lenovo IdeaPad 3 15.6\" 16GB",
                                                 .brand = "Lenovo",
                                                 .category = "Notebooks",
                                                 .price = 899'999,
                                                 .stock = 0}};
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const auto fault = decant::chat::find_ungrounded(text, products, "taladro hasta 1500");
    if (fault && (fault->what.empty() || fault->what.size() > 4 * 120)) std::abort();
    if (text.find("https://") != std::string_view::npos && !fault) std::abort();
    if (size > 0 && decant::chat::find_ungrounded({}, products, text)) std::abort();
    return 0;
}
