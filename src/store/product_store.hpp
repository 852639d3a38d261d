#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/product.hpp"
#include "core/json.hpp"
#include "pg/connection.hpp"

namespace decant::store {

/// What became of one page of products; created + updated + unchanged + refused.size() is the page's size.
struct UpsertOutcome {
    struct Refusal {
        std::size_t index;  ///< in the page
        std::string reason;
    };
    std::uint64_t created = 0;
    std::uint64_t updated = 0;
    std::uint64_t unchanged = 0;
    std::uint64_t categories_created = 0;
    std::uint64_t brands_created = 0;
    std::vector<Refusal> refused;  ///< by index
};

/// How a page is written where it is more than what a file says once.
struct UpsertWith {
    /// Columns, or references by their name, that are the source's own: what is not set there becomes NULL where the
    /// column may be NULL. Of others the table keeps what it has.
    std::span<const std::string_view> owned = {};
    /// In the same transaction, told what the page did; throws to have nothing written.
    std::function<void(const UpsertOutcome&)> before_commit = {};
    bool is_dry_run = false;  ///< counts, and writes nothing
};

struct ProductFilter {
    std::optional<std::string> category;  ///< name or display name
    std::optional<std::string> brand;
    bool missing_only = false;  ///< active products without an embedding
    std::uint64_t limit = 20;
};

/// The tables products, categories, subcategories and brands of the search path. Throws Error{not_found} with the
/// command that makes them where they do not exist.
class ProductStore {
public:
    explicit ProductStore(pg::Connection& db) noexcept : db_(db) {}

    /// Inserts or updates by id, else by sku, in one transaction, and makes categories, subcategories and brands that
    /// are missing. A row that already is what the product says is not written. Refused are products without id and
    /// sku, new ones without name, price or category, a sku of another product, and one that stands in the page twice.
    /// Rows that another session writes meanwhile are waited for.
    UpsertOutcome upsert(std::span<const catalog::Product> page, const UpsertWith& with = {});

    /// Objects with id, sku, name, price, stock, active, category, brand and has_embedding, by name. The counts of all
    /// that fit go to `total`.
    json::array list(const ProductFilter& filter, std::uint64_t& total);

    /// Every column but the embedding itself and search_vector; by id or sku. None when there is no such product.
    std::optional<json::object> find(const std::string& id_or_sku);

private:
    pg::Connection& db_;
};

}  // namespace decant::store
