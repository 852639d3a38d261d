// Every figure that an ERP may send is read exactly or not at all. The oracle has an arithmetic of its own and knows a
// text by its readings: what it says under a decimal point, and under a decimal comma.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>

#include "sync/amount.hpp"

namespace decant::sync {
namespace {

constexpr int most_digits = 15;

/// units / 10^places
struct Figure {
    std::int64_t units = 0;
    int places = 0;

    bool operator==(const Figure& other) const { return text() == other.text(); }

    /// As read_amount writes it.
    std::string text() const {
        std::int64_t left = units < 0 ? -units : units;
        int fraction = places;
        for (; fraction > 0 && left % 10 == 0; --fraction)
            left /= 10;
        std::int64_t power = 1;
        for (int i = 0; i < fraction; ++i)
            power *= 10;
        std::string out = units < 0 ? "-" : "";
        out += std::to_string(left / power);
        if (fraction > 0) out += fmt::format(".{:0{}}", left % power, fraction);
        return out;
    }
};

struct Reading {
    bool is_right = false;  ///< it is a number under these marks
    bool is_grouped = false;
    bool is_usual =
        true;  ///< to be read; else it may be: a zero before the first group, no digits on a side, many zeros
    bool is_long = false;  ///< has more digits than a double holds
    Figure figure;
};

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/// `text` without sign and blanks as a number with this decimal mark, and the other one between groups of three.
Reading read_with(std::string_view text, char mark) {
    const std::size_t at = text.find(mark);
    const std::string_view whole = text.substr(0, at);
    const std::string_view fraction = at == std::string_view::npos ? std::string_view{} : text.substr(at + 1);
    Reading reading;
    std::string digits;
    std::size_t in_group = 0;
    for (const char c : whole) {
        if (is_digit(c)) {
            digits += c;
            ++in_group;
            continue;
        }
        if (c != (mark == '.' ? ',' : '.')) return reading;
        if (reading.is_grouped ? in_group != 3 : in_group < 1 || in_group > 3) return reading;
        reading.is_grouped = true;
        in_group = 0;
    }
    if (reading.is_grouped && in_group != 3) return reading;
    for (const char c : fraction) {
        if (!is_digit(c)) return reading;
    }
    if (digits.empty() && fraction.empty()) return reading;
    reading.is_usual = !digits.empty() && (at == std::string_view::npos || !fraction.empty()) &&
                       !(reading.is_grouped && digits.front() == '0');
    const std::string_view kept = fraction.substr(0, fraction.find_last_not_of('0') + 1);
    digits += kept;
    const std::size_t first = std::min(digits.find_first_not_of('0'), digits.size());
    reading.is_long = digits.size() - first > most_digits;
    // Zeros that say nothing may count or not.
    if (digits.size() - first + fraction.size() - kept.size() > most_digits) reading.is_usual = false;
    if (!reading.is_long)
        for (const char c : digits)
            reading.figure.units = reading.figure.units * 10 + (c - '0');
    reading.figure.places = static_cast<int>(kept.size());
    reading.is_right = true;
    return reading;
}

enum class Verdict { exact, refused, either };  ///< either: exact or refused

struct Judged {
    Verdict verdict = Verdict::refused;
    Figure figure = {};
};

Judged judge_reading(Reading reading, bool is_negative) {
    if (!reading.is_right) return {};
    if (reading.is_long) return {.verdict = Verdict::refused};
    if (is_negative) reading.figure.units = -reading.figure.units;
    return {.verdict = reading.is_usual ? Verdict::exact : Verdict::either, .figure = reading.figure};
}

Judged judge(std::string_view text, DecimalMark mark) {
    while (!text.empty() && text.front() == ' ')
        text.remove_prefix(1);
    while (!text.empty() && text.back() == ' ')
        text.remove_suffix(1);
    const bool is_money = !text.empty() && text.front() == '$';
    if (is_money) text.remove_prefix(1);
    bool is_negative = false;
    if (!is_money && !text.empty() && (text.front() == '-' || text.front() == '+')) {
        is_negative = text.front() == '-';
        text.remove_prefix(1);
    }
    const Reading point = read_with(text, '.');
    const Reading comma = read_with(text, ',');
    if (mark == DecimalMark::point) return judge_reading(point, is_negative);
    if (mark == DecimalMark::comma) return judge_reading(comma, is_negative);
    const bool is_point = point.is_right && (point.is_usual || !comma.is_right || !comma.is_usual);
    const bool is_comma = comma.is_right && (comma.is_usual || !point.is_right || !point.is_usual);
    if (is_point && is_comma) {
        if (point.is_usual && comma.is_usual && !(point.figure == comma.figure)) return {};
        if (point.figure == comma.figure) return judge_reading(point, is_negative);
        return {};
    }
    return judge_reading(is_point ? point : comma, is_negative);
}

constexpr std::array marks{DecimalMark::automatic, DecimalMark::point, DecimalMark::comma};

void expect_judged(const std::string& text, DecimalMark mark) {
    const Judged judged = judge(text, mark);
    const AmountReading reading = read_amount(text, mark);
    ASSERT_NE(reading.value.has_value(), !reading.fault.empty()) << "'" << text << "'";
    if (!reading.value) {
        ASSERT_NE(judged.verdict, Verdict::exact) << "'" << text << "': " << reading.fault;
        return;
    }
    ASSERT_NE(judged.verdict, Verdict::refused) << "'" << text << "' is read as " << *reading.value;
    const std::string expected = judged.figure.text();
    ASSERT_EQ(*reading.value, expected == "-0" ? "0" : expected) << "'" << text << "'";
}

class Figures {
public:
    explicit Figures(std::uint64_t seed) : random_(seed) {}

    Figure figure() {
        Figure one{.units = 0, .places = static_cast<int>(pick(5))};
        for (std::size_t digits = 1 + pick(12); digits > 0; --digits)
            one.units = one.units * 10 + static_cast<std::int64_t>(pick(4) == 0 ? 0 : pick(10));
        if (pick(6) == 0) one.units = -one.units;
        return one;
    }

    /// With these marks; every figure has such a form.
    std::string written(const Figure& figure, char mark, bool is_grouped) {
        const std::int64_t size = figure.units < 0 ? -figure.units : figure.units;
        std::int64_t power = 1;
        for (int i = 0; i < figure.places; ++i)
            power *= 10;
        std::string whole = std::to_string(size / power);
        if (is_grouped) {
            for (std::size_t at = whole.size(); at > 3; at -= 3)
                whole.insert(at - 3, 1, mark == '.' ? ',' : '.');
        }
        std::string out = figure.units < 0 ? "-" : (pick(30) == 0 ? "+" : "");
        if (out.empty() && pick(30) == 0) out = "$";
        out += whole;
        if (figure.places > 0) out += mark + fmt::format("{:0{}}", size % power, figure.places);
        return std::string(pick(10) == 0 ? 1 + pick(3) : 0, ' ') + out + std::string(pick(10) == 0 ? 1 : 0, ' ');
    }

    /// Something near a figure, or far.
    std::string garbled() {
        static constexpr std::string_view alphabet = "0123456789012345678900.,.,-+ eN";
        std::string text = pick(3) == 0 ? "" : written(figure(), pick(2) == 0 ? '.' : ',', pick(2) == 0);
        for (std::size_t edits = 1 + pick(4); edits > 0; --edits) {
            const char c = alphabet[pick(alphabet.size())];
            const std::size_t at = pick(text.size() + 1);
            if (pick(3) == 0 && at < text.size())
                text.erase(at, 1);
            else
                text.insert(at, 1, c);
        }
        std::erase(text, '$');  // where else it may stand nobody has said
        return text;
    }

    std::size_t pick(std::size_t count) { return static_cast<std::size_t>(random_()) % count; }

private:
    std::mt19937_64 random_;
};

/// Half of them figures in a form of theirs, whose value is known without reading; half anything.
void read_all(std::size_t count) {
    Figures figures{20'260'301};
    std::size_t exact = 0;
    for (std::size_t i = 0; i < count / 2; ++i) {
        const Figure figure = figures.figure();
        const char mark = figures.pick(2) == 0 ? '.' : ',';
        const std::string text = figures.written(figure, mark, figures.pick(2) == 0);
        const AmountReading told = read_amount(text, mark == '.' ? DecimalMark::point : DecimalMark::comma);
        ASSERT_EQ(told.value, figure.units == 0 ? "0" : figure.text()) << "'" << text << "': " << told.fault;
        const AmountReading guessed = read_amount(text, DecimalMark::automatic);
        ASSERT_EQ(guessed.value.value_or(*told.value), *told.value) << "'" << text << "' is read as another figure";
        exact += guessed.value ? 1U : 0U;
        ASSERT_NO_FATAL_FAILURE(expect_judged(text, DecimalMark::automatic));
    }
    EXPECT_GT(exact, count / 3) << "most figures say by themselves how they are meant";
    for (std::size_t i = 0; i < count / 2; ++i) {
        const std::string text = figures.garbled();
        for (const DecimalMark mark : marks)
            ASSERT_NO_FATAL_FAILURE(expect_judged(text, mark));
    }
}

TEST(AmountOracle, KnowsWhatTheContractSays) {
    const auto exact = [](const char* text) {
        const Judged judged = judge(text, DecimalMark::automatic);
        return judged.verdict == Verdict::exact ? judged.figure.text() : "refused";
    };
    EXPECT_EQ(exact("1.234,56"), "1234.56");
    EXPECT_EQ(exact("1,234.56"), "1234.56");
    EXPECT_EQ(exact("1234.56"), "1234.56");
    EXPECT_EQ(exact("21.00"), "21");
    EXPECT_EQ(exact("1,5"), "1.5");
    EXPECT_EQ(exact("0.500"), "0.5");
    EXPECT_EQ(exact("1234.567"), "1234.567");
    EXPECT_EQ(exact("1.234.567"), "1234567");
    EXPECT_EQ(exact("-0,25"), "-0.25");
    for (const char* text : {"1.234", "12,345", "", " ", "-", "N/D", "1e5", "--1", "1.2.3", "1 000", "1.234,5,6",
                             "12.34.567,8", "1234567890123456"})
        EXPECT_EQ(exact(text), "refused") << text;
}

TEST(AmountOracle, S3_NoFigureOfAMillionIsReadWrong) {
    read_all(1'000'000);
}

}  // namespace
}  // namespace decant::sync
