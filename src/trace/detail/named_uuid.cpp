#include "trace/detail/named_uuid.hpp"

#include "catalog/uuid.hpp"
#include "core/sha256.hpp"

namespace decant::trace::detail {

std::string named_uuid(std::string_view name) {
    const Digest digest = sha256(name);
    catalog::Uuid id{};
    for (std::size_t i = 0; i < id.size(); ++i)
        id[i] = std::to_integer<unsigned char>(digest[i]);
    id[6] = static_cast<unsigned char>((id[6] & 0x0fU) | 0x80U);
    id[8] = static_cast<unsigned char>((id[8] & 0x3fU) | 0x80U);
    return catalog::text_of(id);
}

}  // namespace decant::trace::detail
