#include "sync/amount.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "core/utf8.hpp"

namespace decant::sync {
namespace {

constexpr std::size_t most_digits = 15;
constexpr std::size_t group_digits = 3;

bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view blanks[] = {" ", "\t", "\xc2\xa0", "\xe2\x80\xaf"};  // the last two do not break
    for (bool is_changed = true; is_changed;) {
        is_changed = false;
        for (const std::string_view blank : blanks) {
            if (text.starts_with(blank)) {
                text.remove_prefix(blank.size());
                is_changed = true;
            }
            if (text.ends_with(blank)) {
                text.remove_suffix(blank.size());
                is_changed = true;
            }
        }
    }
    return text;
}

bool take(std::string_view& text, char c) {
    if (!text.starts_with(c)) return false;
    text.remove_prefix(1);
    return true;
}

/// "1.234.567": one to three digits, then threes. None where it is no such number.
std::optional<std::string> ungrouped(std::string_view text, char mark) {
    std::string digits;
    bool is_first = true;
    while (true) {
        const std::size_t end = std::min(text.find(mark), text.size());
        const std::string_view group = text.substr(0, end);
        const bool is_last = end == text.size();
        const bool is_only = is_first && is_last;
        if (group.empty() || (!is_only && group.size() > group_digits) || (!is_first && group.size() != group_digits) ||
            !std::ranges::all_of(group, is_digit))
            return std::nullopt;
        digits += group;
        if (is_last) return digits;
        text.remove_prefix(end + 1);
        is_first = false;
    }
}

struct Marks {
    char decimal = '\0';  ///< none: there are no decimals
    char group = '\0';
    bool is_ambiguous = false;
};

Marks marks_of(std::string_view text, DecimalMark mark) {
    if (mark != DecimalMark::automatic)
        return mark == DecimalMark::point ? Marks{.decimal = '.', .group = ','} : Marks{.decimal = ',', .group = '.'};
    const std::size_t point = text.rfind('.');
    const std::size_t comma = text.rfind(',');
    if (point == text.npos && comma == text.npos) return {};
    if (point != text.npos && comma != text.npos)
        return point > comma ? Marks{.decimal = '.', .group = ','} : Marks{.decimal = ',', .group = '.'};
    const char only = point != text.npos ? '.' : ',';
    const std::size_t at = point != text.npos ? point : comma;
    if (std::ranges::count(text, only) > 1) return {.decimal = '\0', .group = only};
    const bool may_group = at >= 1 && at <= group_digits && text[0] != '0' && text.size() - at - 1 == group_digits;
    return {.decimal = only, .group = '\0', .is_ambiguous = may_group};
}

AmountReading fault(std::string_view text, std::string_view why) {
    constexpr std::size_t most_shown = 40;
    return {.value = std::nullopt, .fault = fmt::format("'{}' {}", printable(text.substr(0, most_shown)), why)};
}

}  // namespace

AmountReading read_amount(std::string_view text, DecimalMark mark) {
    constexpr std::string_view no_amount = "is no amount";
    std::string_view rest = trimmed(text);
    bool is_negative = take(rest, '-');
    if (!is_negative) take(rest, '+');
    if (take(rest, '$')) rest = trimmed(rest);
    if (rest.empty()) return fault(text, text.empty() ? "is empty" : no_amount);
    if (!is_digit(rest.front()) || !is_digit(rest.back())) return fault(text, no_amount);
    const Marks marks = marks_of(rest, mark);
    if (marks.is_ambiguous) return fault(text, "may be thousands or decimals");
    const std::size_t decimal = marks.decimal == '\0' ? rest.npos : rest.find(marks.decimal);
    std::string_view fraction = decimal == rest.npos ? std::string_view{} : rest.substr(decimal + 1);
    std::optional<std::string> whole = ungrouped(rest.substr(0, decimal), marks.group == '\0' ? '\x01' : marks.group);
    if (!whole || !std::ranges::all_of(fraction, is_digit)) return fault(text, no_amount);
    whole->erase(0, std::min(whole->find_first_not_of('0'), whole->size()));
    fraction = fraction.substr(0, fraction.find_last_not_of('0') + 1);
    const std::size_t leading = whole->empty() ? std::min(fraction.find_first_not_of('0'), fraction.size()) : 0;
    if (whole->size() + fraction.size() - leading > most_digits || fraction.size() > most_digits)
        return fault(text, fmt::format("has more than {} digits", most_digits));
    if (whole->empty() && fraction.empty()) is_negative = false;
    return {.value = fmt::format("{}{}{}{}", is_negative ? "-" : "", whole->empty() ? "0" : *whole,
                                 fraction.empty() ? "" : ".", fraction),
            .fault = {}};
}

void AmountSum::add(std::string_view value) {
    const bool is_negative = take(value, '-');
    Wide amount = 0;
    std::size_t decimals = 0;
    bool is_fraction = false;
    for (const char c : value) {
        if (c == '.') {
            is_fraction = true;
            continue;
        }
        amount = amount * 10 + (c - '0');
        if (is_fraction) ++decimals;
    }
    for (; decimals < most_digits; ++decimals)
        amount *= 10;
    sum_ += is_negative ? -amount : amount;
}

std::optional<int> AmountSum::whole() const noexcept {
    const Wide whole = sum_ / unit;
    if (sum_ < 0 || whole > std::numeric_limits<int>::max()) return std::nullopt;
    return static_cast<int>(whole);
}

}  // namespace decant::sync
