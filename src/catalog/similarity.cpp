#include "catalog/similarity.hpp"

namespace decant::catalog {

std::string_view name_of(Space space) noexcept {
    switch (space) {
        case Space::l2:
            return "l2";
        case Space::cosine:
            return "cosine";
        case Space::ip:
            return "ip";
    }
    return "l2";
}

}  // namespace decant::catalog
