#include "catalog/product_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <memory>

#include "core/csv.hpp"
#include "core/error.hpp"
#include "core/utf8.hpp"

namespace decant::catalog {
namespace {

constexpr std::string_view blanks = " \t\r\n";

json::string_view boost_view(std::string_view text) {
    return {text.data(), text.size()};
}

/// The first fault stays. What follows is read too, so that the sku tells which product it is of.
void set(const ProductField& field, Cell cell, FileRecord& record) {
    auto fault = set_field(record.product, field, cell);
    if (fault && !record.fault) record.fault = std::move(fault);
}

std::string as_column(std::string_view text) {
    const std::size_t first = std::min(text.find_first_not_of(blanks), text.size());
    std::string out{text.substr(first, text.find_last_not_of(blanks) + 1 - first)};
    std::ranges::transform(out, out.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return out;
}

Error unreadable(std::string happened, std::string remedy) {
    return {ErrorCode::source_unreadable, std::move(happened), std::move(remedy)};
}

}  // namespace

FileFormat format_of(std::string_view text) {
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    const std::size_t first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) return FileFormat::csv;
    if (text[first] == '[') return FileFormat::json;
    return text[first] == '{' ? FileFormat::jsonl : FileFormat::csv;
}

ProductFile::ProductFile(std::string_view text, FileFormat format) {
    if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) {
        throw unreadable("The product file is UTF-16", "Turn it into UTF-8: iconv -f UTF-16 -t UTF-8 FILE");
    }
    if (format == FileFormat::csv) {
        read_csv(text);
        return;
    }
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    if (format == FileFormat::json)
        read_array(text);
    else
        read_lines(text);
}

std::optional<FileRecord> ProductFile::next() {
    FileRecord record;
    if (!reader_(record)) return std::nullopt;
    return record;
}

void ProductFile::read_csv(std::string_view text) {
    CsvReader rows{text};
    CsvReader::Row row;
    if (!rows.next(row) || row.fault) row.fields.clear();
    std::vector<const ProductField*> columns;  // null: unknown
    for (const std::string& title : row.fields) {
        const ProductField* field = field_of(title);
        if (field != nullptr && std::ranges::find(columns, field) != columns.end()) {
            throw unreadable(fmt::format("Two columns of the product file mean '{}'", field->column),
                             "Remove one of them.");
        }
        columns.push_back(field);
    }
    if (std::ranges::find(columns, find_field("id")) == columns.end() &&
        std::ranges::find(columns, find_field("sku")) == columns.end()) {
        throw unreadable(fmt::format("The product file has neither a column id nor sku: '{}'",
                                     printable(row.raw.substr(0, std::min<std::size_t>(row.raw.size(), 120)))),
                         "The first line names the columns, as in: sku,name,price,stock,category,brand");
    }
    const bool begins_with_sku = !columns.empty() && columns.front() == find_field("sku");
    reader_ = [rows, columns, begins_with_sku, header = row.fields](FileRecord& record) mutable {
        CsvReader::Row one;
        if (!rows.next(one)) return false;
        record.line = one.line;
        record.fault = one.fault;
        if (!one.fault && one.fields.size() != header.size()) {
            record.fault = fmt::format("has {} fields, the header {}", one.fields.size(), header.size());
        }
        if (record.fault) {
            record.record = json::string{boost_view(one.raw)};
            // Behind it fields may have moved, and over a line break one may have taken in whole records.
            if (begins_with_sku && one.fields.size() > 1 && one.raw.find_first_of("\r\n") == std::string_view::npos)
                set_field(record.product, *columns.front(), {one.fields.front()});
            return true;
        }
        json::object& object = record.record.emplace_object();
        for (std::size_t i = 0; i < header.size(); ++i) {
            object[boost_view(header[i])] = one.fields[i];
            if (columns[i] != nullptr) set(*columns[i], {one.fields[i]}, record);
        }
        return true;
    };
}

void ProductFile::read_array(std::string_view text) {
    json::error_code error;
    const auto array = std::make_shared<json::value>(json::parse(boost_view(text), error));
    if (error || !array->is_array()) {
        throw unreadable(fmt::format("The product file is no array of JSON objects: {}",
                                     error ? error.message() : "it is a single value"),
                         "Mend it, or write one object a line (JSONL): then one bad line spoils no other.");
    }
    reader_ = [this, array, at = std::size_t{0}](FileRecord& record) mutable {
        if (at == array->as_array().size()) return false;
        read_object(array->as_array()[at], record);
        record.line = ++at;
        return true;
    };
}

void ProductFile::read_lines(std::string_view lines) {
    reader_ = [this, text = lines, line = std::size_t{0}](FileRecord& record) mutable {
        while (!text.empty()) {
            const std::string_view one = text.substr(0, text.find('\n'));
            text.remove_prefix(std::min(one.size() + 1, text.size()));
            record.line = ++line;
            if (one.find_first_not_of(blanks) == std::string_view::npos) continue;
            json::error_code error;
            const json::value value = json::parse(boost_view(one), error);
            if (!error) {
                read_object(value, record);
                return true;
            }
            record.fault = "is no JSON: " + error.message();
            record.record = json::string{boost_view(one)};
            return true;
        }
        return false;
    };
}

const ProductField* ProductFile::field_of(std::string_view column) {
    const ProductField* field = find_field(as_column(column));
    if (field == nullptr && std::ranges::find(unknown_, column) == unknown_.end()) unknown_.emplace_back(column);
    return field;
}

void ProductFile::read_object(const json::value& value, FileRecord& record) {
    record.record = value;
    if (!value.is_object()) {
        record.fault = "is no JSON object";
        return;
    }
    for (const auto& [key, member] : value.get_object()) {
        const ProductField* field = field_of({key.data(), key.size()});
        if (field == nullptr || member.is_null()) continue;
        const std::string text = member.is_string() ? std::string{member.get_string()} : json_text(member);
        set(*field, {.text = text, .is_number = member.is_number()}, record);
    }
}

}  // namespace decant::catalog
