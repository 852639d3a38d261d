#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace decant {

/// Rows of a CSV text as RFC 4180 writes them: fields may be quoted and hold the delimiter, doubled quotes and line
/// breaks. Lines end with LF, CRLF or CR. The delimiter is the most frequent of comma, semicolon and tab in the first
/// line. A UTF-8 byte order mark is skipped. The text must outlive the reader.
class CsvReader {
public:
    struct Row {
        std::size_t line = 0;             ///< where it starts, from 1
        std::vector<std::string> fields;  ///< at least one
        std::string_view raw;             ///< as it stands in the text, without its line end
        std::optional<std::string> fault =
            {};  ///< what is wrong with its quotes; then `fields` is what was read so far
    };

    explicit CsvReader(std::string_view text);

    /// The next row that is not blank; false at the end.
    bool next(Row& row);
    char delimiter() const noexcept { return delimiter_; }

private:
    bool at_end_of_field(std::size_t at) const noexcept;
    std::optional<std::string> read_quoted(std::string& field);
    void end_line();

    std::string_view text_;
    std::size_t at_ = 0;
    std::size_t line_ = 1;
    char delimiter_ = ',';
};

}  // namespace decant
