#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "pg/result.hpp"

namespace decant::search {

/// A product that was found.
struct Hit {
    std::string id;
    std::string sku;  ///< empty: none
    std::string name;
    std::string brand;
    std::string category;
    double price = 0;
    std::int64_t stock = 0;
    std::string model = {};
    std::string description = {};  ///< the short one, else the start of the long one: at most 300 characters
    std::string image_url = {};
    std::string category_display_name = {};
    std::optional<double> similarity = {};  ///< cosine to the question, where vectors were compared
    double score = 0;                       ///< what the answer is ordered by; compares within one answer only
};

/// What people call its category.
inline const std::string& shown_category(const Hit& hit) noexcept {
    return hit.category_display_name.empty() ? hit.category : hit.category_display_name;
}

/// What read_hit reads, of products p with hit_joins.
inline constexpr std::string_view hit_columns =
    "p.id, coalesce(p.sku, ''), p.name, coalesce(b.name, ''), coalesce(c.name, ''), p.price, p.stock, "
    "coalesce(p.model, ''), left(coalesce(nullif(p.short_description, ''), p.description, ''), 300), "
    "coalesce(p.image_url, ''), coalesce(c.display_name, c.name, '')";
inline constexpr std::string_view hit_joins =
    "LEFT JOIN categories c ON c.id = p.category_id LEFT JOIN brands b ON b.id = p.brand_id";
inline constexpr int hit_column_count = 11;

/// Of columns 0 to hit_column_count - 1; similarity and score are the caller's to fill.
inline Hit read_hit(const pg::Result& rows, int row) {
    return {.id = std::string{rows.text(row, 0)},
            .sku = std::string{rows.text(row, 1)},
            .name = std::string{rows.text(row, 2)},
            .brand = std::string{rows.text(row, 3)},
            .category = std::string{rows.text(row, 4)},
            .price = rows.real(row, 5),
            .stock = rows.integer(row, 6),
            .model = std::string{rows.text(row, 7)},
            .description = std::string{rows.text(row, 8)},
            .image_url = std::string{rows.text(row, 9)},
            .category_display_name = std::string{rows.text(row, 10)}};
}

}  // namespace decant::search
