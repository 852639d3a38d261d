#include "quality/judged_set.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <unordered_map>

#include "core/error.hpp"
#include "core/utf8.hpp"

namespace decant::quality {
namespace {

constexpr std::string_view products_sql =
    "SELECT docno, p.id, p.name, p.active FROM unnest($1::text[]) docno CROSS JOIN LATERAL (SELECT id, name, active "
    "FROM products "
    "WHERE sku = docno OR id = CASE WHEN docno ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN docno::uuid END "
    "ORDER BY sku = docno DESC NULLS LAST LIMIT 1) p";

std::string names_of(const std::set<std::string>& names) {
    return names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "));
}

void refuse_contradiction(const JudgedQuery& judged) {
    if (!judged.query.is_meant_to_find_nothing() || !judged.has_something_to_find()) return;
    throw Error{ErrorCode::source_unreadable,
                fmt::format("Query '{}' (line {}) is of kind '{}', but product '{}' is judged to be of use to it",
                            printable(judged.query.id), judged.query.line, printable(judged.query.kind),
                            printable(judged.products.front().docno)),
                "Mend the kind or the judgment."};
}

}  // namespace

int JudgedQuery::grade_of(std::string_view product_id) const noexcept {
    const auto found = std::ranges::find(products, product_id, [](const auto& one) { return one.product.id; });
    return found == products.end() ? 0 : found->grade;
}

bool JudgedQuery::has_judged(std::string_view product_id) const noexcept {
    return std::ranges::find(products, product_id, [](const auto& one) { return one.product.id; }) != products.end();
}

Products find_products(pg::Connection& db, const std::vector<Judgment>& judgments) {
    std::set<std::string> docnos;
    for (const Judgment& judgment : judgments)
        docnos.insert(judgment.docno);
    const pg::Result rows = db.query(products_sql, {pg::array_literal({docnos.begin(), docnos.end()})});
    Products products;
    for (int row = 0; row < rows.rows(); ++row) {
        products.emplace(rows.text(row, 0), Product{.id = std::string{rows.text(row, 1)},
                                                    .name = std::string{rows.text(row, 2)},
                                                    .is_active = rows.boolean(row, 3)});
    }
    return products;
}

JudgedSet join(std::vector<Query> queries, const std::vector<Judgment>& judgments, const Products& products) {
    JudgedSet set;
    std::unordered_map<std::string, std::size_t> places;
    for (Query& query : queries) {
        places.emplace(query.id, set.queries.size());
        set.queries.push_back({.query = std::move(query), .products = {}});
    }
    std::set<std::pair<std::size_t, std::string>> seen;
    for (const Judgment& judgment : judgments) {
        const auto place = places.find(judgment.query);
        if (place == places.end()) {
            ++set.judgments_of_other_queries;
            continue;
        }
        const auto known = products.find(judgment.docno);
        const Product product = known == products.end() ? Product{} : known->second;
        if (!seen.emplace(place->second, product.id.empty() ? judgment.docno : product.id).second) {
            throw Error{ErrorCode::source_unreadable,
                        fmt::format("Line {} of the qrels judges product '{}' of query '{}' a second time",
                                    judgment.line, printable(judgment.docno), printable(judgment.query)),
                        "Keep one judgment a product."};
        }
        set.queries[place->second].products.push_back(
            {.docno = judgment.docno, .product = product, .grade = judgment.grade});
    }
    for (JudgedQuery& judged : set.queries) {
        std::ranges::stable_sort(judged.products, std::greater{}, &JudgedProduct::grade);
        refuse_contradiction(judged);
    }
    return set;
}

Coverage coverage_of(const JudgedSet& set) {
    Coverage coverage{.queries = set.queries.size()};
    std::set<std::string> unknown;
    std::set<std::string> inactive;
    for (const JudgedQuery& judged : set.queries) {
        coverage.judgments += judged.products.size();
        if (judged.has_something_to_find())
            ++coverage.something_to_find;
        else if (judged.has_nothing_to_find())
            ++coverage.nothing_to_find;
        else
            coverage.unjudged_queries.push_back(judged.query.id);
        for (const JudgedProduct& product : judged.products) {
            if (product.product.id.empty()) unknown.insert(product.docno);
            if (!product.product.is_active) inactive.insert(product.docno);
        }
    }
    coverage.unknown_products.assign(unknown.begin(), unknown.end());
    coverage.inactive_products.assign(inactive.begin(), inactive.end());
    return coverage;
}

void select(JudgedSet& set, const Selection& selection) {
    std::set<std::string> splits;
    std::set<std::string> kinds;
    for (const JudgedQuery& judged : set.queries) {
        splits.insert(judged.query.split);
        kinds.insert(judged.query.kind);
    }
    splits.erase("");
    kinds.erase("");
    for (const std::string& kind : selection.kinds) {
        if (kinds.contains(kind)) continue;
        throw Error{ErrorCode::not_found, fmt::format("No query is of kind '{}'", printable(kind)),
                    fmt::format("Kinds that there are: {}.", printable(names_of(kinds)))};
    }
    if (!selection.split.empty() && !splits.contains(selection.split)) {
        throw Error{ErrorCode::not_found, fmt::format("No query is of split '{}'", printable(selection.split)),
                    fmt::format("Splits that there are: {}.", printable(names_of(splits)))};
    }
    std::erase_if(set.queries, [&](const JudgedQuery& judged) {
        const bool is_of_split = selection.split.empty() || judged.query.split == selection.split;
        const bool is_of_kind =
            selection.kinds.empty() || std::ranges::find(selection.kinds, judged.query.kind) != selection.kinds.end();
        return !is_of_split || !is_of_kind;
    });
    if (!set.queries.empty()) return;
    throw Error{ErrorCode::not_found, "No query is of this split and these kinds", "Ask for fewer of both."};
}

}  // namespace decant::quality
