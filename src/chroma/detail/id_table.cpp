#include "chroma/detail/id_table.hpp"

#include <cstring>
#include <random>

namespace decant::chroma::detail {
namespace {

__extension__ using Wide = unsigned __int128;

std::uint64_t fold_product(std::uint64_t a, std::uint64_t b) noexcept {
    const Wide product = static_cast<Wide>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64U);
}

std::uint64_t draw_seed() {
    std::random_device device;
    return std::uint64_t{device()} << 32U | device();
}

}  // namespace

std::uint64_t hash_of(std::string_view text) noexcept {
    static const std::uint64_t seed = draw_seed();
    std::uint64_t state = seed ^ text.size() * 0x9e3779b97f4a7c15U;
    while (text.size() > 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, text.data(), sizeof word);
        state = fold_product(state ^ word, 0xa0761d6478bd642fU);
        text.remove_prefix(8);
    }
    std::uint64_t word = 0;
    if (!text.empty()) {
        std::memcpy(&word, text.data(), text.size());
    }
    return fold_product(state ^ word, 0xe7037ed1a0b428dbU ^ seed);
}

}  // namespace decant::chroma::detail
