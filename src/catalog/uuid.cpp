#include "catalog/uuid.hpp"

#include <algorithm>
#include <span>

#include "core/sha256.hpp"

namespace decant::catalog {
namespace {

constexpr std::array<std::size_t, 4> hyphens{8, 13, 18, 23};
constexpr std::size_t uuid_characters = 36;

int hex_value(char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

}  // namespace

std::optional<Uuid> parse_uuid(std::string_view text) {
    if (text.size() != uuid_characters) return std::nullopt;
    Uuid id{};
    std::size_t digits = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool is_hyphen = std::ranges::find(hyphens, i) != hyphens.end();
        if (is_hyphen != (text[i] == '-')) return std::nullopt;
        if (is_hyphen) continue;
        const int value = hex_value(text[i]);
        if (value < 0) return std::nullopt;
        id[digits / 2] = static_cast<unsigned char>(unsigned{id[digits / 2]} << 4U | static_cast<unsigned>(value));
        ++digits;
    }
    return id;
}

std::string text_of(const Uuid& id) {
    std::string out = hex(std::as_bytes(std::span{id}));
    for (const std::size_t at : hyphens)
        out.insert(at, 1, '-');
    return out;
}

}  // namespace decant::catalog
