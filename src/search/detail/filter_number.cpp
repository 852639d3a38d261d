#include "search/detail/filter_number.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace decant::search::detail {
namespace {

// Below it, every integer is a double.
constexpr double exact_below = 0x1p53;

/// Digits of a number as far as 64 bits hold them, and the power of ten that they are to be multiplied by.
struct Decimal {
    std::uint64_t significand = 0;
    int exponent = 0;

    /// False, and nothing added, when it does not fit.
    bool add(char digit) {
        constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
        const auto value = static_cast<std::uint64_t>(digit - '0');
        if (significand > most / 10 || (significand == most / 10 && value > most % 10)) return false;
        significand = significand * 10 + value;
        return true;
    }
};

/// `text` has the form of Python's repr: digits, a point or an exponent.
Decimal decimal_of(const std::string& text) {
    Decimal out;
    std::size_t at = 0;
    while (at < text.size() && text[at] >= '0' && text[at] <= '9')
        out.add(text[at++]);
    if (at < text.size() && text[at] == '.') {
        ++at;
        bool fits = true;
        for (; at < text.size() && text[at] != 'e'; ++at) {
            fits = fits && out.add(text[at]);
            if (fits) --out.exponent;
        }
    }
    if (at < text.size()) out.exponent += std::stoi(text.substr(at + 1));
    return out;
}

std::string digits(double value) {
    return fmt::format("{}", value);
}

}  // namespace

double read_by_chroma(double value) {
    std::string text = digits(std::abs(value));
    if (text.find_first_of(".e") == std::string::npos) text += ".0";
    Decimal decimal = decimal_of(text);
    constexpr int greatest_power = 308;
    auto read = static_cast<double>(decimal.significand);
    for (; decimal.exponent < -greatest_power; decimal.exponent += greatest_power)
        read /= 1e308;
    const double power = std::stod(fmt::format("1e{}", std::abs(decimal.exponent)));
    read = decimal.exponent < 0 ? read / power : read * power;
    return std::copysign(read, value);
}

FilterNumber number_of(std::int64_t whole) {
    // Rounded to the nearest double, to be compared with floats.
    const auto real = static_cast<double>(whole);
    return {std::to_string(whole), digits(real), digits(real), std::abs(real) < exact_below};
}

FilterNumber number_of(double real) {
    const double read = read_by_chroma(real);
    const auto [low, high] = std::minmax(real, read);
    // Cut, to be compared with integers: {"$eq": 3.5} finds 3.
    constexpr auto most = std::numeric_limits<std::int64_t>::max();
    constexpr auto least = std::numeric_limits<std::int64_t>::min();
    const std::int64_t whole = read >= 0x1p63 ? most : read < -0x1p63 ? least : static_cast<std::int64_t>(read);
    return {std::to_string(whole), digits(low), digits(high),
            low == high && std::abs(real) < exact_below && static_cast<double>(whole) == real};
}

}  // namespace decant::search::detail
