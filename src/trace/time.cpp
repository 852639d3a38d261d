#include "trace/time.hpp"

#include <fmt/format.h>

#include <charconv>

namespace decant::trace {
namespace {

using namespace std::chrono;

struct Parts {
    year_month_day date;
    hh_mm_ss<microseconds> clock;
};

Parts parts_of(Time time) {
    const auto day = floor<days>(time);
    return {year_month_day{day}, hh_mm_ss<microseconds>{time - day}};
}

std::string written(Time time, fmt::format_string<int, unsigned, unsigned, long, long, long, long> format) {
    const auto [date, clock] = parts_of(time);
    return fmt::format(format, static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                       static_cast<unsigned>(date.day()), clock.hours().count(), clock.minutes().count(),
                       clock.seconds().count(), clock.subseconds().count());
}

/// Of `count` digits at `at`; -1: other characters stand there.
int number_at(std::string_view text, std::size_t at, std::size_t count) {
    int number = -1;
    const std::string_view digits = text.substr(at, count);
    if (digits.find_first_not_of("0123456789") != std::string_view::npos) return -1;
    std::from_chars(digits.data(), digits.data() + digits.size(), number);
    return number;
}

}  // namespace

std::string iso_text(Time time) {
    return written(time, "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z");
}

std::string dotted_text(Time time) {
    return written(time, "{:04}{:02}{:02}T{:02}{:02}{:02}{:06}Z");
}

std::optional<Time> parse_dotted_time(std::string_view text) {
    constexpr std::size_t length = 22;
    if (text.size() != length || text[8] != 'T' || text[21] != 'Z') return std::nullopt;
    const int whole_year = number_at(text, 0, 4);
    const int whole_month = number_at(text, 4, 2);
    const int whole_day = number_at(text, 6, 2);
    const int hour = number_at(text, 9, 2);
    const int minute = number_at(text, 11, 2);
    const int second = number_at(text, 13, 2);
    const int micro = number_at(text, 15, 6);
    if (whole_year < 1970 || whole_month < 0 || whole_day < 0 || hour < 0 || minute < 0 || second < 0 || micro < 0)
        return std::nullopt;
    const year_month_day date{year{whole_year}, month{static_cast<unsigned>(whole_month)},
                              day{static_cast<unsigned>(whole_day)}};
    if (!date.ok() || hour > 23 || minute > 59 || second > 59) return std::nullopt;
    return sys_days{date} + hours{hour} + minutes{minute} + seconds{second} + microseconds{micro};
}

}  // namespace decant::trace
