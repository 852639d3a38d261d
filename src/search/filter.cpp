#include "search/filter.hpp"

#include <fmt/format.h>

#include <cmath>
#include <map>

#include "core/error.hpp"
#include "core/nearest.hpp"

namespace decant::search {
namespace {

/// A table that products refer to.
struct Reference {
    std::string_view what;
    std::string_view sql;  ///< the ids and all names
    std::string_view condition;
};

constexpr Reference category_reference{"category", "SELECT id, name, display_name FROM categories",
                                       "p.category_id = ANY (${}::uuid[])"};
constexpr Reference subcategory_reference{"subcategory", "SELECT id, name, display_name FROM subcategories",
                                          "p.subcategory_id = ANY (${}::uuid[])"};
constexpr Reference brand_reference{"brand", "SELECT id, name, display_name FROM brands",
                                    "p.brand_id = ANY (${}::uuid[])"};

constexpr std::string_view same_name_sql =
    "SELECT t.id FROM ({}) t WHERE lower($1) IN (lower(t.name), lower(t.display_name), t.id::text)";

std::string ascii_lower(std::string_view text) {
    std::string out{text};
    for (char& c : out)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return out;
}

/// Two categories may have one display name.
std::string ids_of(pg::Connection& db, const Reference& reference, const std::string& name) {
    const pg::Result found = db.query(fmt::format(same_name_sql, reference.sql), {name});
    std::vector<std::string> ids;
    for (int row = 0; row < found.rows(); ++row)
        ids.emplace_back(found.text(row, 0));
    if (!ids.empty()) return pg::array_literal(ids);
    const pg::Result all = db.exec(reference.sql);
    std::vector<std::string> lowered;
    std::map<std::string, std::string> names;
    for (int row = 0; row < all.rows(); ++row) {
        for (const int column : {1, 2}) {
            if (all.is_null(row, column)) continue;
            lowered.push_back(ascii_lower(all.text(row, column)));
            names.emplace(lowered.back(), all.text(row, column));
        }
    }
    const auto meant = nearest(ascii_lower(name), lowered);
    throw Error{
        ErrorCode::not_found, fmt::format("No {} of the catalog is named '{}'", reference.what, name),
        meant ? fmt::format("Did you mean '{}'?", names.at(*meant)) : "See the names with `decant products list`."};
}

class Binder {
public:
    Binder(pg::Connection& db, std::string_view condition) : db_(db) { bound_.condition = condition; }

    /// `condition` has one place for the number of its parameter.
    void add(std::string name, std::string_view condition, std::string value) {
        bound_.params.emplace_back(std::move(value));
        add_narrow(std::move(name), fmt::format(fmt::runtime(condition), bound_.params.size()));
    }
    void add_narrow(std::string name, std::string condition) {
        add(std::move(name), std::move(condition));
        bound_.is_narrow = true;
    }
    void add(std::string name, std::string condition) {
        bound_.condition += " AND " + condition;
        bound_.parts.push_back({.name = std::move(name), .condition = std::move(condition)});
    }
    void add(const Reference& reference, const std::vector<std::string>& ids) {
        if (!ids.empty())
            add(fmt::format("the {} understood", reference.what), reference.condition, pg::array_literal(ids));
    }
    void add(const Reference& reference, const std::optional<std::string>& name) {
        if (name)
            add(fmt::format("{} '{}'", reference.what, *name), reference.condition, ids_of(db_, reference, *name));
    }
    BoundFilter take() { return std::move(bound_); }

private:
    pg::Connection& db_;
    BoundFilter bound_;
};

std::string price_text(const char* name, double price) {
    if (std::isfinite(price) && price >= 0) return fmt::format("{}", price);
    throw Error{ErrorCode::request_invalid, fmt::format("{} {} is no price", name, price), "Give 0 or more."};
}

}  // namespace

BoundFilter bind(pg::Connection& db, const Filter& filter) {
    if (filter.min_price && filter.max_price && *filter.min_price > *filter.max_price) {
        throw Error{ErrorCode::request_invalid,
                    fmt::format("The least price, {}, is over the highest, {}", *filter.min_price, *filter.max_price),
                    "Exchange them."};
    }
    Binder binder{db, filter.active ? "p.active" : "true"};
    binder.add(category_reference, filter.category);
    binder.add(subcategory_reference, filter.subcategory);
    binder.add(brand_reference, filter.brand);
    binder.add(category_reference, filter.category_ids);
    binder.add(subcategory_reference, filter.subcategory_ids);
    binder.add(brand_reference, filter.brand_ids);
    if (filter.min_price) {
        binder.add(fmt::format("price from {}", *filter.min_price), "p.price >= ${}::float8",
                   price_text("--min-price", *filter.min_price));
    }
    if (filter.max_price) {
        binder.add(fmt::format("price up to {}", *filter.max_price), "p.price <= ${}::float8",
                   price_text("--max-price", *filter.max_price));
    }
    if (filter.in_stock) binder.add("in stock", "p.stock > 0");
    if (filter.featured) binder.add_narrow("featured", "p.featured");
    if (filter.on_sale) binder.add_narrow("on sale", "p.on_sale");
    return binder.take();
}

}  // namespace decant::search
