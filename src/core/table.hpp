#pragma once

#include <string>
#include <vector>

namespace decant {

/// A table of text for a terminal: a header line, a rule, then the rows. Control characters in cells are shown as \xNN.
class Table {
public:
    enum class Align { left, right };
    struct Column {
        std::string title;
        Align align = Align::left;
    };

    explicit Table(std::vector<Column> columns);

    /// One cell a column.
    void add_row(std::vector<std::string> cells);

    /// Ends with a newline; no line has blanks at its end.
    std::string text() const;

private:
    std::vector<Column> columns_;
    std::vector<std::vector<std::string>> rows_;
};

}  // namespace decant
