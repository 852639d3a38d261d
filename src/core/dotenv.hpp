#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace decant {

struct DotenvEntry {
    std::string key;
    std::string value;
    std::size_t line;         ///< of the key, from 1
    std::size_t value_begin;  ///< offset of the value in the text, quotes included
    std::size_t value_end;
};

/// Reads the text of a .env file: KEY=VALUE lines, `export ` before a key, comments from `#` at the start of a line or
/// after a blank, values bare, in 'single quotes' (taken as they are) or in "double quotes" (\n \r \t \" \\ \$ are
/// escapes); quoted values may span lines. ${NAME} is not replaced and therefore refused outside single quotes.
/// A key that is given again is given again in the result: the caller judges.
/// Throws Error{config_invalid} with `file_name` and the line; never shows a value.
std::vector<DotenvEntry> parse_dotenv(std::string_view text, std::string_view file_name);

/// The text with the key set to a value that needs no quotes: in its place where the key stands (everywhere, when it
/// stands several times), else on a line of its own at the end. All other bytes stay. Throws as parse_dotenv.
std::string set_in_dotenv(std::string_view text, std::string_view file_name, std::string_view key,
                          std::string_view value);

}  // namespace decant
