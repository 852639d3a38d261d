#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pg/connection.hpp"

/// quality/: how good the answers of search/ are: metrics of strategies over judged queries, the index against the
/// exact scan, the threshold that judgments ask for.
namespace decant::quality {

/// A line of a file of queries.
struct Query {
    std::size_t line = 0;
    std::string id;
    std::string text;
    std::string language = {};
    std::string kind = {};
    std::string split = {};

    /// Its kind says that the catalog has nothing for it: "nothing", "nothing-to-find".
    bool is_meant_to_find_nothing() const noexcept { return kind.starts_with("nothing"); }
};

/// JSON lines {"id", "text"} with optional "language", "kind" and "split"; other keys are left alone.
/// Throws Error{source_unreadable} naming the line; Error{too_large} for more than 100,000 queries.
std::vector<Query> read_queries(std::string_view text);

/// A line of a qrels file.
struct Judgment {
    std::size_t line = 0;
    std::string query;
    std::string docno;  ///< a product's sku or id
    int grade = 0;      ///< 0: of no use; 3: what was looked for
};

/// TREC's format: `query iteration docno grade`, separated by blanks. Grades under 0 count as 0, none is over 10.
/// Throws Error{source_unreadable} naming the line; Error{too_large} for more than 5,000,000 judgments.
std::vector<Judgment> read_qrels(std::string_view text);

struct Product {
    std::string id;
    std::string name;
    bool is_active = true;
};
/// By docno.
using Products = std::map<std::string, Product, std::less<>>;

/// The products that the judgments name; a docno that is no product's sku or id is not in it.
Products find_products(pg::Connection& db, const std::vector<Judgment>& judgments);

struct JudgedProduct {
    std::string docno;
    Product product;  ///< without an id where the catalog has none
    int grade = 0;
};

struct JudgedQuery {
    Query query;
    std::vector<JudgedProduct> products;  ///< the best first

    bool has_something_to_find() const noexcept { return !products.empty() && products.front().grade > 0; }
    /// By its kind, or because no product that was judged is of use.
    bool has_nothing_to_find() const noexcept {
        return !has_something_to_find() && (query.is_meant_to_find_nothing() || !products.empty());
    }
    bool is_judged() const noexcept { return has_something_to_find() || has_nothing_to_find(); }
    /// 0 for a product that was not judged.
    int grade_of(std::string_view product_id) const noexcept;
    bool has_judged(std::string_view product_id) const noexcept;
};

/// Queries with their judgments.
struct JudgedSet {
    std::vector<JudgedQuery> queries;
    std::size_t judgments_of_other_queries = 0;  ///< of queries that the file does not have
};

/// What of a set can be measured.
struct Coverage {
    std::size_t queries = 0;
    std::size_t judgments = 0;
    std::size_t something_to_find = 0;  ///< queries
    std::size_t nothing_to_find = 0;
    std::vector<std::string> unjudged_queries = {};   ///< their ids
    std::vector<std::string> unknown_products = {};   ///< docnos; where they are of use they count as not found
    std::vector<std::string> inactive_products = {};  ///< the same: no search shows them
};
Coverage coverage_of(const JudgedSet& set);

/// Throws Error{source_unreadable} for a product that is judged twice for one query, and for a query that is meant to
/// find nothing although a product is of use to it.
JudgedSet join(std::vector<Query> queries, const std::vector<Judgment>& judgments, const Products& products);

/// Which queries are asked; empty: all.
struct Selection {
    std::string split = {};
    std::vector<std::string> kinds = {};
};

/// Throws Error{not_found} where no query is left, or a kind has none, naming those that there are.
void select(JudgedSet& set, const Selection& selection);

}  // namespace decant::quality
