#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/product.hpp"
#include "core/json.hpp"

namespace decant::catalog {

enum class FileFormat { csv, json, jsonl };

/// By the first character that is no blank: [ is JSON, { is JSONL, all else CSV.
FileFormat format_of(std::string_view text);

/// One record of a file.
struct FileRecord {
    std::size_t line = 0;                   ///< where it starts, from 1; of a JSON array the element
    Product product = {};                   ///< with a fault what could be read of it, its sku where that is sure
    std::optional<std::string> fault = {};  ///< why it is no product
    json::value record = {};                ///< what stands in the file, for the reject
};

/// Reads products one by one. A file without a key column, or an array that is no JSON, throws
/// Error{source_unreadable}; what is wrong with one record is its fault. The text must outlive it.
class ProductFile {
public:
    ProductFile(std::string_view text, FileFormat format);
    ProductFile(const ProductFile&) = delete;
    std::optional<FileRecord> next();
    /// Columns or keys seen so far that no field has, each once.
    const std::vector<std::string>& unknown_columns() const noexcept { return unknown_; }

private:
    void read_csv(std::string_view text);
    void read_array(std::string_view text);
    void read_lines(std::string_view lines);
    void read_object(const json::value& value, FileRecord& record);
    const ProductField* field_of(std::string_view column);

    std::function<bool(FileRecord&)> reader_;  ///< false at the end
    std::vector<std::string> unknown_;
};

}  // namespace decant::catalog
