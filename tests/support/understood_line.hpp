#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "search/understanding.hpp"
#include "tests/support/shop_vocabulary.hpp"

namespace decant::test {

/// In one line: what is searched for, then what was understood.
inline std::string told(const search::Understood& understood) {
    std::string line = understood.text;
    const auto add = [&](std::string_view what, const std::string& value = {}) {
        line += fmt::format("; {}{}", what, value);
    };
    if (!understood.categories.empty()) add("category ", understood.categories.name);
    if (!understood.subcategories.empty()) add("subcategory ", understood.subcategories.name);
    if (!understood.brands.empty()) add("brand ", understood.brands.name);
    if (understood.min_price) add("from ", fmt::format("{}", *understood.min_price));
    if (understood.max_price) add("to ", fmt::format("{}", *understood.max_price));
    if (understood.in_stock) add("in stock");
    if (understood.on_sale) add("on sale");
    if (understood.featured) add("featured");
    if (understood.wish == search::PriceWish::cheap) add("cheap");
    if (understood.wish == search::PriceWish::expensive) add("expensive");
    return line;
}

struct UnderstoodRow {
    std::string question;
    std::string told;
};

inline void expect_told(const std::vector<UnderstoodRow>& rows) {
    const search::Vocabulary vocabulary = shop_vocabulary();
    for (const auto& [question, expected] : rows)
        EXPECT_EQ(told(search::understand(question, vocabulary)), expected) << "of: " << question;
}

}  // namespace decant::test
