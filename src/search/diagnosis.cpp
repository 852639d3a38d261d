#include "search/diagnosis.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "store/catalog_state.hpp"

namespace decant::search {
namespace {

/// {0} the filter, {1} ", count…" for each of its parts, {2} that a product has no embedding.
constexpr std::string_view counts_sql =
    "SELECT count(*) FILTER (WHERE p.active), count(*) FILTER (WHERE p.active AND {2}), "
    "count(*) FILTER (WHERE {0}){1} FROM products p";
/// {0} what all parts are joined to, {1} the other parts, {2} the part.
constexpr std::string_view removed_sql = ", count(*) FILTER (WHERE p.active{0} AND NOT coalesce({1}, false))";

constexpr std::ptrdiff_t least_letters = 3;

bool is_letter_or_digit(char c) noexcept {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x80 || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

std::string removed_by(const BoundFilter& filter, const FilterPart& part) {
    std::string others;
    for (const FilterPart& other : filter.parts)
        if (&other != &part) others += " AND " + other.condition;
    return fmt::format(removed_sql, others, part.condition);
}

std::string products_text(std::uint64_t count) {
    return count == 1 ? "1 product" : fmt::format("{} products", count);
}

}  // namespace

Diagnosis diagnose(pg::Connection& db, const BoundFilter& filter, std::string_view text) {
    std::string removed;
    for (const FilterPart& part : filter.parts)
        removed += removed_by(filter, part);
    const bool has_embedding = store::read_catalog_state(db).has_embedding();
    const pg::Result row =
        db.query(fmt::format(counts_sql, filter.condition, removed, has_embedding ? "p.embedding IS NULL" : "true"),
                 filter.params);
    const auto count = [&](int column) { return static_cast<std::uint64_t>(row.integer(0, column)); };
    Diagnosis diagnosis{.products = count(0), .without_embedding = count(1), .passing = count(2)};
    for (std::size_t i = 0; i < filter.parts.size(); ++i)
        diagnosis.filters.push_back({.name = filter.parts[i].name, .removed = count(3 + static_cast<int>(i))});
    diagnosis.is_short = std::ranges::count_if(text, is_letter_or_digit) < least_letters;
    return diagnosis;
}

std::vector<std::string> Diagnosis::causes() const {
    std::vector<std::string> causes;
    if (products == 0) causes.emplace_back("the catalog has no active products");
    if (is_short) causes.emplace_back("the question is too short to be understood");
    if (products > 0 && passing == 0) causes.emplace_back("no product passes the filters");
    for (const FilterEffect& filter : filters) {
        if (filter.removed > 0)
            causes.push_back(fmt::format("{} keeps out {}", filter.name, products_text(filter.removed)));
    }
    if (best_similarity)
        causes.push_back(
            fmt::format("the best similarity, {:.3f}, is under the threshold {:.2f}", *best_similarity, threshold));
    if (compares_vectors && without_embedding > 0) {
        causes.push_back(
            fmt::format("{} of {} have no embedding: `decant embed`", without_embedding, products_text(products)));
    }
    return causes;
}

}  // namespace decant::search
