#include "search/detail/passing_products.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace decant::search::detail {
namespace {

constexpr std::string_view passing_sql = "SELECT p.id, coalesce(p.sku, '') FROM products p WHERE {}";

}  // namespace

PassingProducts::PassingProducts(pg::Connection& db, const BoundFilter& filter) {
    const pg::Result rows = db.query(fmt::format(passing_sql, filter.condition), filter.params);
    for (int row = 0; row < rows.rows(); ++row) {
        if (const auto id = catalog::parse_uuid(rows.text(row, 0))) ids_.insert(*id);
        if (!rows.text(row, 1).empty()) skus_.emplace(rows.text(row, 1));
    }
}

bool PassingProducts::may_be(const chroma::ProductNames& names) const {
    const chroma::ProductKeys keys{names};
    return std::any_of(keys.begin(), keys.end(), [this](const chroma::ProductKey& key) {
        const auto* id = std::get_if<catalog::Uuid>(&key);
        return id != nullptr ? ids_.contains(*id) : skus_.contains(std::get<std::string_view>(key));
    });
}

}  // namespace decant::search::detail
