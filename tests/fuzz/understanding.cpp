#include "search/understanding.hpp"

#include <cmath>
#include <cstdint>
#include <cstdlib>

#include "tests/support/shop_vocabulary.hpp"

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

}  // namespace

/// Whatever the bytes: prices that a filter may have, and a text that is no longer than the question.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const decant::search::Vocabulary vocabulary = decant::test::shop_vocabulary();
    const std::string_view question{reinterpret_cast<const char*>(data), size};
    const decant::search::Understood understood = decant::search::understand(question, vocabulary);
    for (const auto& price : {understood.min_price, understood.max_price})
        require(!price || (std::isfinite(*price) && *price >= 0));
    require(!understood.min_price || !understood.max_price || *understood.min_price <= *understood.max_price);
    require(understood.text.size() <= question.size());
    require(!understood.text.empty() || !understood.meanings.empty() || question.empty());
    for (const decant::search::Meaning& meaning : understood.meanings)
        require(!meaning.text.empty() && question.find(meaning.text) != std::string_view::npos);
    return 0;
}
