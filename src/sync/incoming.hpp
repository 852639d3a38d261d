#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/product.hpp"

namespace decant::sync {

/// One item as a source gives it.
struct Incoming {
    std::string key;               ///< its sku; where it has none, something that tells it from its neighbours
    bool has_sku = false;          ///< whether `key` is one
    catalog::Product product;      ///< of an item without a fault
    std::string category_id = {};  ///< what the source calls the product's category by; empty: by its name
    std::string raw;               ///< the whole item as JSON
    std::optional<std::string> fault = {};
    bool was_stock_negative = false;  ///< and is 0 now
    bool was_stock_rounded = false;   ///< down to whole units
};

/// Whether a text in that JSON holds U+0000, which PostgreSQL's have no place for.
inline bool holds_nul(std::string_view json) noexcept {
    constexpr std::string_view escape = "\\u0000";
    for (std::size_t at = json.find(escape); at != std::string_view::npos; at = json.find(escape, at + 1)) {
        // Behind an odd number of backslashes its own is the second of a pair.
        const std::size_t before = json.find_last_not_of('\\', at);
        const std::size_t backslashes = before == std::string_view::npos ? at + 1 : at - before;
        if (backslashes % 2 == 1) return true;
    }
    return false;
}

/// Items that came together.
struct Page {
    std::size_t offset = 0;       ///< of the first one in its source
    std::uint64_t total = 0;      ///< how many items the source says to have
    std::vector<Incoming> items;  ///< in the source's order
    std::string fault = {};       ///< not empty: it could not be had, and why
};

}  // namespace decant::sync
