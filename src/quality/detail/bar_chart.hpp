#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace decant::quality {

/// Text as it may stand in HTML, in an attribute too; bytes that are no UTF-8 become U+FFFD.
std::string escape_html(std::string_view text);

/// Horizontal bars in groups, one bar a series; a value that there is not gets a dash.
struct BarChart {
    struct Group {
        std::string label;
        std::vector<std::optional<double>> values;  ///< one a series
    };
    std::string title;
    std::vector<std::string> series;
    std::vector<Group> groups;
    std::optional<double> most = {};  ///< where the axis ends; none: the largest value
    int decimals = 3;
};

/// One inline <svg>, with its own legend. Colours go by the place of the series.
std::string svg_of(const BarChart& chart);

}  // namespace decant::quality
