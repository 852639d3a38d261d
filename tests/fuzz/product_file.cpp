#include "catalog/product_file.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "core/csv.hpp"
#include "core/error.hpp"

using decant::catalog::FileFormat;

// Whatever the bytes: rows within the text, records with a product or a fault, or Error{source_unreadable}.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const auto most_lines =
        static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return c == '\n' || c == '\r'; })) + 1;
    decant::CsvReader reader{text};
    decant::CsvReader::Row row;
    std::size_t bytes = 0;
    while (reader.next(row)) {
        bytes += row.raw.size();
        if (row.fields.empty() || row.line < 1 || row.line > most_lines || bytes > size) std::abort();
    }
    for (const FileFormat format : {FileFormat::csv, FileFormat::json, FileFormat::jsonl}) {
        try {
            decant::catalog::ProductFile file{text, format};
            while (const auto record = file.next()) {
                if (record->line < 1 || (record->product.price && !(*record->product.price >= 0))) std::abort();
            }
        } catch (const decant::Error& error) {
            if (error.code() != decant::ErrorCode::source_unreadable) std::abort();
        }
    }
    return 0;
}
