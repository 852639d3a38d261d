#include "core/dotenv.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/error.hpp"

// Whatever the bytes: entries with keys and lines that exist, or Error{config_invalid}; nothing else.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const auto lines = static_cast<std::size_t>(std::ranges::count(text, '\n')) + 1;
    try {
        for (const decant::DotenvEntry& entry : decant::parse_dotenv(text, ".env")) {
            const bool is_possible = !entry.key.empty() && entry.line >= 1 && entry.line <= lines &&
                                     entry.value.size() <= size && entry.value.find('\0') == std::string::npos;
            if (!is_possible) std::abort();
        }
    } catch (const decant::Error& error) {
        if (error.code() != decant::ErrorCode::config_invalid) std::abort();
    }
    return 0;
}
