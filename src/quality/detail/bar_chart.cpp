#include "quality/detail/bar_chart.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "core/utf8.hpp"

namespace decant::quality {
namespace {

constexpr std::array<std::string_view, 7> colours{"#2f6fb0", "#d9822b", "#3d9970", "#b5413f",
                                                  "#7a5cad", "#8a6d3b", "#5b6770"};
constexpr int label_width = 180;
constexpr int bars_width = 460;
constexpr int value_width = 80;
constexpr int bar_height = 14;
constexpr int bar_step = 17;
constexpr int group_gap = 12;
constexpr int legend_height = 24;
constexpr int legend_step = 130;
constexpr int legend_columns = (label_width + bars_width + value_width) / legend_step;

std::string_view colour_of(std::size_t series) {
    return colours[series % colours.size()];
}

double end_of_axis(const BarChart& chart) {
    double most = chart.most.value_or(0);
    for (const BarChart::Group& group : chart.groups) {
        for (const auto& value : group.values)
            most = std::max(most, value.value_or(0));
    }
    return most > 0 ? most : 1;
}

std::string legend(const BarChart& chart) {
    std::string out;
    for (std::size_t i = 0; i < chart.series.size(); ++i) {
        const auto place = static_cast<int>(i);
        const int x = place % legend_columns * legend_step;
        const int y = place / legend_columns * legend_height;
        out += fmt::format(R"(<rect x="{}" y="{}" width="12" height="12" fill="{}"/><text x="{}" y="{}">{}</text>)", x,
                           y + 2, colour_of(i), x + 17, y + 12, escape_html(chart.series[i]));
    }
    return out;
}

std::string bar(std::size_t series, const std::optional<double>& value, const BarChart& chart, int y) {
    const double width = value ? std::max(0.0, *value) / end_of_axis(chart) * bars_width : 0;
    const std::string text = value ? fmt::format("{:.{}f}", *value, chart.decimals) : "–";
    return fmt::format(R"(<rect x="{}" y="{}" width="{:.1f}" height="{}" fill="{}"/><text x="{:.1f}" y="{}">{}</text>)",
                       label_width, y, width, bar_height, colour_of(series), label_width + width + 5,
                       y + bar_height - 3, text);
}

}  // namespace

std::string escape_html(std::string_view text) {
    std::string out;
    for (const char c : valid_utf8(text)) {
        switch (c) {
            case '&':
                out += "&amp;";
                break;
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '"':
                out += "&quot;";
                break;
            case '\'':
                out += "&#39;";
                break;
            default:
                out += c;
        }
    }
    return out;
}

std::string svg_of(const BarChart& chart) {
    const auto rows = (static_cast<int>(chart.series.size()) + legend_columns - 1) / legend_columns;
    int y = rows * legend_height + 6;
    std::string body = legend(chart);
    for (const BarChart::Group& group : chart.groups) {
        const auto bars = static_cast<int>(group.values.size());
        body += fmt::format(R"(<text x="{}" y="{}" text-anchor="end">{}</text>)", label_width - 8,
                            y + bars * bar_step / 2 + 3, escape_html(first_characters(group.label, 26)));
        for (std::size_t i = 0; i < group.values.size(); ++i)
            body += bar(i, group.values[i], chart, y + static_cast<int>(i) * bar_step);
        y += bars * bar_step + group_gap;
    }
    return fmt::format(
        R"(<svg role="img" viewBox="0 0 {} {}" xmlns="http://www.w3.org/2000/svg"><title>{}</title>{}</svg>)",
        label_width + bars_width + value_width, y, escape_html(chart.title), body);
}

}  // namespace decant::quality
