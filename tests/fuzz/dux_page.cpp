#include <boost/json/parse.hpp>
#include <cstdint>
#include <cstdlib>

#include "sync/amount.hpp"
#include "sync/dux_item.hpp"

namespace {

using namespace decant::sync;

void require_sound(const Incoming& item) {
    if (item.key.empty()) std::abort();
    boost::system::error_code no_json;
    static_cast<void>(boost::json::parse(item.raw, no_json));
    if (no_json && no_json != boost::json::error::too_deep) std::abort();
    if (item.fault) return;
    const decant::catalog::Product& product = item.product;
    if (!item.has_sku || !product.sku || *product.sku != item.key || !product.name || !product.category) std::abort();
    if (!product.price || !(*product.price >= 0) || !product.active) std::abort();
    if (product.stock && *product.stock < 0) std::abort();
}

/// What is an amount is the same amount when it is read again.
void require_exact(std::string_view text) {
    for (const DecimalMark mark : {DecimalMark::automatic, DecimalMark::point, DecimalMark::comma}) {
        const AmountReading amount = read_amount(text, mark);
        if (amount.value.has_value() != amount.fault.empty()) std::abort();
        if (amount.value && read_amount(*amount.value, DecimalMark::point).value != amount.value) std::abort();
    }
}

}  // namespace

// Whatever the ERP answers: a page of items, each whole or with its fault, or a page with a fault.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view body{reinterpret_cast<const char*>(data), size};
    static DuxPages pages{{}};
    const Page page = pages.read(body, 0);
    if (!page.fault.empty() && !page.items.empty()) std::abort();
    for (const Incoming& item : page.items)
        require_sound(item);
    require_exact(body.substr(0, 64));
    return 0;
}
