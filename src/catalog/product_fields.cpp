#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/parse.hpp>
#include <charconv>
#include <cmath>

#include "catalog/product.hpp"
#include "catalog/uuid.hpp"
#include "core/json.hpp"
#include "core/utf8.hpp"

namespace decant::catalog {
namespace {

using P = Product;
constexpr std::array fields{
    ProductField{"id", &P::id, FieldKind::uuid},
    ProductField{"sku", &P::sku, FieldKind::text, 50},
    ProductField{"name", &P::name, FieldKind::text, 255},
    ProductField{"model", &P::model, FieldKind::text, 100},
    ProductField{"specs", &P::specs, FieldKind::text},
    ProductField{"description", &P::description, FieldKind::text},
    ProductField{"short_description", &P::short_description, FieldKind::text, 500},
    ProductField{"external_code", &P::external_code, FieldKind::text, 100},
    ProductField{"barcode", &P::barcode, FieldKind::text, 100},
    ProductField{"image_url", &P::image_url, FieldKind::text, 1000},
    ProductField{"category", &P::category, FieldKind::reference, 100},
    ProductField{"category_display_name", &P::category_display_name, FieldKind::reference, 200},
    ProductField{"subcategory", &P::subcategory, FieldKind::reference, 100},
    ProductField{"brand", &P::brand, FieldKind::reference, 100},
    ProductField{"price", &P::price, FieldKind::money},
    ProductField{"original_price", &P::original_price, FieldKind::money},
    ProductField{"cost_price", &P::cost_price, FieldKind::money},
    ProductField{"cost", &P::cost, FieldKind::money},
    ProductField{"tax_percentage", &P::tax_percentage, FieldKind::number},
    ProductField{"weight", &P::weight, FieldKind::number},
    ProductField{"stock", &P::stock, FieldKind::count},
    ProductField{"min_stock", &P::min_stock, FieldKind::count},
    ProductField{"active", &P::active, FieldKind::truth},
    ProductField{"featured", &P::featured, FieldKind::truth},
    ProductField{"on_sale", &P::on_sale, FieldKind::truth},
    ProductField{"technical_specs", &P::technical_specs, FieldKind::json},
    ProductField{"features", &P::features, FieldKind::json},
    ProductField{"images", &P::images, FieldKind::json},
    ProductField{"dimensions", &P::dimensions, FieldKind::json},
    ProductField{"meta_data", &P::meta_data, FieldKind::json},
};

constexpr std::array aliases{std::pair<std::string_view, std::string_view>{"category_name", "category"},
                             std::pair<std::string_view, std::string_view>{"brand_name", "brand"},
                             std::pair<std::string_view, std::string_view>{"subcategory_name", "subcategory"},
                             std::pair<std::string_view, std::string_view>{"product_id", "id"}};

using Reason = std::optional<std::string>;

/// The start of a text, for a message.
std::string shown(std::string_view text) {
    constexpr std::size_t most = 60;
    return printable(text.substr(0, most)) + (text.size() > most ? "..." : "");
}

bool are_digits(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

/// 1.234.567 with its marks taken out; none when the groups are no thousands.
std::optional<std::string> without_groups(std::string_view text, char mark) {
    std::string out;
    bool is_first = true;
    for (;;) {
        const std::size_t end = text.find(mark);
        const std::string_view group = text.substr(0, end);
        if (!are_digits(group) || (is_first ? group.size() > 3 : group.size() != 3)) return std::nullopt;
        out += group;
        if (end == std::string_view::npos) return out;
        text.remove_prefix(end + 1);
        is_first = false;
    }
}

/// Digits with at most one point. The last mark is the decimal one, another kind before it groups thousands.
std::optional<std::string> plain_decimal(std::string_view text) {
    if (are_digits(text)) return std::string{text};
    const std::size_t last = text.find_last_of(".,");
    if (last == std::string_view::npos || !are_digits(text.substr(last + 1))) return std::nullopt;
    const char decimal = text[last];
    const std::string_view whole = text.substr(0, last);
    if (are_digits(whole)) return fmt::format("{}.{}", whole, text.substr(last + 1));
    if (whole.find(decimal) != std::string_view::npos) return without_groups(text, decimal);
    const auto grouped = without_groups(whole, decimal == '.' ? ',' : '.');
    if (!grouped) return std::nullopt;
    return fmt::format("{}.{}", *grouped, text.substr(last + 1));
}

/// 1.234 is a thousand and a bit in one country and little more than one in another.
bool is_ambiguous(std::string_view text) {
    const std::size_t mark = text.find_first_of(".,");
    return mark != std::string_view::npos && mark >= 1 && mark <= 3 && text.front() != '0' && text.size() == mark + 4 &&
           are_digits(text.substr(mark + 1)) && are_digits(text.substr(0, mark));
}

std::size_t digits_of(std::string_view decimal) {
    const std::string_view significant = decimal.substr(std::min(decimal.find_first_not_of("0."), decimal.size()));
    return significant.size() - (significant.find('.') == std::string_view::npos ? 0 : 1);
}

/// The value, or why there is none. A number of JSON is a double already; a text must be one to the last digit.
Reason read_real(double& value, const ProductField& field, Cell cell) {
    constexpr std::size_t exact_digits = 15;
    if (field.kind == FieldKind::money && !cell.is_number && is_ambiguous(cell.text)) {
        return fmt::format("{} '{}' may be thousands or decimals: write 1234 or 1.23", field.column, cell.text);
    }
    const auto decimal = cell.is_number ? std::string{cell.text} : plain_decimal(cell.text);
    if (!decimal) return fmt::format("{} '{}' is no number of 0 or more", field.column, shown(cell.text));
    if (!cell.is_number && digits_of(*decimal) > exact_digits) {
        return fmt::format("{} '{}' has more than {} digits", field.column, shown(cell.text), exact_digits);
    }
    const auto [stop, error] = std::from_chars(decimal->data(), decimal->data() + decimal->size(), value);
    if (error == std::errc{} && value >= 0 && std::isfinite(value)) return std::nullopt;
    return fmt::format("{} '{}' is no number of 0 or more", field.column, shown(cell.text));
}

Reason set_real(std::optional<double>& target, const ProductField& field, Cell cell) {
    double value = 0;
    if (auto reason = read_real(value, field, cell)) return reason;
    // numeric(10,2) would round.
    if (field.column == "cost_price" && (value >= 1e8 || std::round(value * 100) / 100 != value)) {
        return fmt::format("{} '{}' does not fit 8 digits and 2 decimals", field.column, shown(cell.text));
    }
    target = value;
    return std::nullopt;
}

Reason set_count(std::optional<std::int32_t>& target, const ProductField& field, Cell cell) {
    std::int32_t value = 0;
    const char* const end = cell.text.data() + cell.text.size();
    const auto [stop, error] = std::from_chars(cell.text.data(), end, value);
    if (error != std::errc{} || stop != end || value < 0) {
        return fmt::format("{} '{}' is no whole number of 0 to 2147483647", field.column, shown(cell.text));
    }
    target = value;
    return std::nullopt;
}

Reason set_truth(std::optional<bool>& target, const ProductField& field, Cell cell) {
    static constexpr std::array<std::string_view, 6> yes{"true", "t", "yes", "1", "si", "sí"};
    static constexpr std::array<std::string_view, 4> no{"false", "f", "no", "0"};
    std::string text{cell.text};
    std::ranges::transform(text, text.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    target = std::ranges::find(yes, text) != yes.end();
    if (*target || std::ranges::find(no, text) != no.end()) return std::nullopt;
    return fmt::format("{} '{}' is neither true nor false", field.column, shown(cell.text));
}

bool holds_nul(const json::value& value) {
    if (const auto* text = value.if_string()) return text->find('\0') != json::string::npos;
    if (const auto* array = value.if_array()) return std::ranges::any_of(*array, holds_nul);
    const auto* object = value.if_object();
    return object != nullptr && std::ranges::any_of(*object, [](const auto& member) {
               return member.key().find('\0') != json::string_view::npos || holds_nul(member.value());
           });
}

Reason set_json(std::optional<std::string>& target, const ProductField& field, Cell cell) {
    json::error_code error;
    const json::value value = json::parse(json::string_view{cell.text.data(), cell.text.size()}, error);
    if (error || (!value.is_object() && !value.is_array())) {
        return fmt::format("{} '{}' is no JSON object or array", field.column, shown(cell.text));
    }
    if (holds_nul(value)) return fmt::format("{} holds U+0000, which PostgreSQL cannot store", field.column);
    target = json_text(value);
    return std::nullopt;
}

Reason set_text(std::optional<std::string>& target, const ProductField& field, Cell cell) {
    if (field.kind == FieldKind::uuid && !parse_uuid(cell.text)) {
        return fmt::format("{} '{}' is no UUID", field.column, shown(cell.text));
    }
    if (field.most_characters > 0 && count_characters(cell.text) > field.most_characters) {
        return fmt::format("{} has {} characters, more than {}", field.column, count_characters(cell.text),
                           field.most_characters);
    }
    target = std::string{cell.text};
    return std::nullopt;
}

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view blanks = " \t\r\n";
    const std::size_t first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

}  // namespace

std::span<const ProductField> product_fields() noexcept {
    return fields;
}

const ProductField* find_field(std::string_view column) noexcept {
    for (const auto& [alias, name] : aliases) {
        if (column == alias) column = name;
    }
    const auto* const found = std::ranges::find(fields, column, &ProductField::column);
    return found == fields.end() ? nullptr : found;
}

std::optional<std::string> set_field(Product& product, const ProductField& field, Cell cell) {
    cell.text = trimmed(cell.text);
    if (cell.text.empty()) return std::nullopt;
    if (cell.text.size() > most_text_bytes) {
        return fmt::format("{} has {} bytes, more than {}", field.column, cell.text.size(), most_text_bytes);
    }
    if (cell.text.find('\0') != std::string_view::npos) {
        return fmt::format("{} holds U+0000, which PostgreSQL cannot store", field.column);
    }
    if (valid_utf8(cell.text) != cell.text) return fmt::format("{} is no UTF-8", field.column);
    return std::visit(
        [&](auto member) {
            auto& target = product.*member;
            using Target = std::remove_reference_t<decltype(target)>;
            if constexpr (std::is_same_v<Target, std::optional<double>>) return set_real(target, field, cell);
            if constexpr (std::is_same_v<Target, std::optional<std::int32_t>>) return set_count(target, field, cell);
            if constexpr (std::is_same_v<Target, std::optional<bool>>) return set_truth(target, field, cell);
            if constexpr (std::is_same_v<Target, std::optional<std::string>>)
                return field.kind == FieldKind::json ? set_json(target, field, cell) : set_text(target, field, cell);
        },
        field.member);
}

std::optional<std::string> value_text(const Product& product, const ProductField& field) {
    return std::visit(
        [&](auto member) -> std::optional<std::string> {
            const auto& value = product.*member;
            if (!value) return std::nullopt;
            return fmt::format("{}", *value);
        },
        field.member);
}

}  // namespace decant::catalog
