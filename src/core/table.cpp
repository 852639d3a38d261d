#include "core/table.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

#include "core/utf8.hpp"

namespace decant {
namespace {

void append_cell(std::string& line, const std::string& cell, std::size_t width, Table::Align align) {
    const std::string padding(width - count_characters(cell), ' ');
    line += align == Table::Align::right ? padding + cell : cell + padding;
}

void end_line(std::string& text, std::string line) {
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
}

}  // namespace

Table::Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

void Table::add_row(std::vector<std::string> cells) {
    assert(cells.size() == columns_.size());
    for (std::string& cell : cells)
        cell = printable(cell);
    rows_.push_back(std::move(cells));
}

std::string Table::text() const {
    std::vector<std::size_t> widths;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        std::size_t width = count_characters(columns_[i].title);
        for (const auto& row : rows_)
            width = std::max(width, count_characters(row[i]));
        widths.push_back(width);
    }
    std::string text;
    std::string header;
    std::string rule;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        const std::string gap = i == 0 ? "" : "  ";
        append_cell(header += gap, columns_[i].title, widths[i], columns_[i].align);
        rule += gap + std::string(widths[i], '-');
    }
    end_line(text, std::move(header));
    end_line(text, std::move(rule));
    for (const auto& row : rows_) {
        std::string line;
        for (std::size_t i = 0; i < row.size(); ++i) {
            append_cell(line += i == 0 ? "" : "  ", row[i], widths[i], columns_[i].align);
        }
        end_line(text, std::move(line));
    }
    return text;
}

}  // namespace decant
