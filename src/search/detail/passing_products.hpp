#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <unordered_set>

#include "chroma/product_key.hpp"
#include "search/filter.hpp"

namespace decant::search::detail {

/// The keys of all products that pass a filter, to tell records that cannot be of one without asking the database.
/// About 100 bytes a product.
class PassingProducts {
public:
    PassingProducts(pg::Connection& db, const BoundFilter& filter);

    /// False when no key of the record is one of a product that passes. True is no proof: an earlier key may be that of
    /// another product.
    bool may_be(const chroma::ProductNames& names) const;

private:
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
        std::size_t operator()(const catalog::Uuid& id) const noexcept {
            return (*this)(std::string_view{reinterpret_cast<const char*>(id.data()), id.size()});
        }
    };

    std::unordered_set<catalog::Uuid, Hash, std::equal_to<>> ids_;
    std::unordered_set<std::string, Hash, std::equal_to<>> skus_;
};

}  // namespace decant::search::detail
