// Answers that are made from rows, whatever the rows, and such answers with one digit of a price changed.

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

#include "chat/grounding.hpp"

namespace decant::chat {
namespace {

using search::Hit;

/// 1299.5 as "1299.50", "1,299.50" or "1.299,50".
std::string price_text(double price, int style) {
    const std::string plain = fmt::format("{:.2f}", price);
    if (style == 0) return plain;
    const std::size_t point = plain.size() - 3;
    std::string text;
    for (std::size_t i = 0; i < point; ++i) {
        if (i > 0 && (point - i) % 3 == 0) text += style == 1 ? ',' : '.';
        text += plain[i];
    }
    return text + (style == 1 ? '.' : ',') + plain.substr(point + 1);
}

std::string picked(std::initializer_list<const char*> words) {
    return *rc::gen::elementOf(std::vector<std::string>(words.begin(), words.end()));
}

std::vector<Hit> some_rows(std::size_t least = 1) {
    std::vector<Hit> rows(*rc::gen::inRange<std::size_t>(least, 5));
    for (Hit& row : rows) {
        row.brand = picked({"Bosch", "Lenovo", "Black+Decker", "3M", "TP-Link", "Ñandú", "acme"});
        row.name =
            fmt::format("{} {} {}", picked({"Taladro", "Notebook 15.6\"", "cable USB-C", "Monitor 27'", "Ácido"}),
                        row.brand, picked({"GSB 13", "IdeaPad 3 16GB", "RTX-4060", "2x8GB 3200MHz", "x 3 u.", "S/N"}));
        row.category = picked({"Herramientas", "Notebooks", "Placas de video"});
        row.price = static_cast<double>(*rc::gen::inRange<std::int64_t>(100, 500'000'000)) / 100;
        row.stock = *rc::gen::inRange(0, 5'000);
    }
    return rows;
}

struct Template {
    std::string answer;
    std::vector<std::pair<std::size_t, std::size_t>> prices;  ///< where they stand, and how long
};

Template answer_from(const std::vector<Hit>& rows) {
    const bool is_spanish = *rc::gen::arbitrary<bool>();
    const int style = *rc::gen::inRange(0, 3);
    const std::string sign = picked({"$", "$ ", "US$ ", "ARS ", "€"});
    Template made{.answer = is_spanish ? "Encontré estos productos:\n" : "I found these products:\n"};
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const Hit& row = rows[i];
        made.answer += fmt::format("{}. **{}**\n   {}: {}\n   {}: {}\n   {}: {}", i + 1, row.name,
                                   is_spanish ? "Marca" : "Brand", row.brand, is_spanish ? "Categoría" : "Category",
                                   row.category, is_spanish ? "Precio" : "Price", sign);
        const std::string price = price_text(row.price, style);
        made.prices.emplace_back(made.answer.size(), price.size());
        made.answer += fmt::format("{}\n   Stock: {} {}\n", price, row.stock, is_spanish ? "unidades" : "units");
    }
    return made;
}

RC_GTEST_PROP(GroundingProperty, TakesWhatIsMadeFromTheRows, ()) {
    const std::vector<Hit> rows = some_rows();
    const Template made = answer_from(rows);
    const auto fault = find_ungrounded(made.answer, rows, "algo bueno");
    if (fault) RC_FAIL(fault->what + " in " + made.answer);
}

RC_GTEST_PROP(GroundingProperty, FindsEachChangedDigitOfAPrice, ()) {
    const std::vector<Hit> rows = some_rows();
    Template made = answer_from(rows);
    const auto [begin, length] = *rc::gen::elementOf(made.prices);
    const std::size_t at = begin + *rc::gen::inRange<std::size_t>(0, length);
    RC_PRE(std::isdigit(static_cast<unsigned char>(made.answer[at])) != 0);
    const char digit = *rc::gen::inRange('0', static_cast<char>('9' + 1));
    RC_PRE(digit != made.answer[at]);
    made.answer[at] = digit;
    std::string changed = made.answer.substr(begin, length);
    std::erase_if(changed, [](char c) { return c == '.' || c == ','; });
    for (const Hit& row : rows)
        RC_PRE(std::llround(row.price * 100) != std::stoll(changed));  // another's price
    RC_ASSERT(find_ungrounded(made.answer, rows, "algo bueno").has_value());
}

/// No name says all that another one says.
bool are_told_apart(const Hit& a, const Hit& b) {
    return a.name.substr(0, 5) != b.name.substr(0, 5);
}

RC_GTEST_PROP(GroundingProperty, FindsPricesThatChangedPlaces, ()) {
    std::vector<Hit> rows = some_rows(2);
    RC_PRE(are_told_apart(rows[0], rows[1]));
    RC_PRE(std::llround(rows[0].price * 100) != std::llround(rows[1].price * 100));
    rows.resize(2);
    std::vector<Hit> told = rows;
    std::swap(told[0].price, told[1].price);
    RC_ASSERT(find_ungrounded(answer_from(told).answer, rows, "algo bueno").has_value());
}

}  // namespace
}  // namespace decant::chat
