#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pg/connection.hpp"
#include "store/column_model.hpp"
#include "store/pgvector.hpp"

namespace decant::store {

/// The second vector of every product, beside the live one: columns, a trigger that marks vectors whose text changes,
/// and twins of what the live columns have (indexes, product_embedding_stats) under names that end in "_second". A swap
/// exchanges all names in one transaction; rows are not touched.
struct SecondColumn {
    std::optional<ColumnComment> comment;  ///< none: somebody else's column of that name
    bool is_marked = false;                ///< the trigger is there: a changed text marks its vector
    std::vector<std::string> indexes;      ///< valid ones on it
};

std::optional<SecondColumn> read_second_column(pg::Connection& db);

/// How far it is. Of active products.
struct SecondCounts {
    std::uint64_t products = 0;
    std::uint64_t fresh = 0;
    std::uint64_t stale = 0;    ///< the text changed since
    std::uint64_t missing = 0;  ///< no vector
};
SecondCounts count_second(pg::Connection& db);

// Each of these runs in the caller's transaction, which holds the table for itself where so said. `schema` is that of
// products, unquoted.

/// Columns and trigger; needs the table for itself. Owner and grants of the live columns are the second's too.
void make_second_column(pg::Connection& db, const std::string& schema, const ColumnComment& comment);
void set_second_comment(pg::Connection& db, const ColumnComment& comment);
void make_second_statistics(pg::Connection& db, const std::string& schema);
/// The trigger, where it is gone; all vectors of the column count as stale, because nobody knows what changed
/// meanwhile.
void restore_second_marks(pg::Connection& db, const std::string& schema);
/// All of it, with the vectors; needs the table for itself.
void drop_second_column(pg::Connection& db, const std::string& schema);

/// CREATE INDEX CONCURRENTLY of each twin but the vector's, which is not there as a valid index.
std::vector<std::string> second_index_statements(pg::Connection& db, const std::string& schema);
std::vector<std::string> drop_invalid_second_indexes(pg::Connection& db, const std::string& schema);
std::string second_vector_index(IndexKind kind);

/// Ids of active products whose second vector is missing or stale, after `after`, in order.
std::vector<std::string> pending_products(pg::Connection& db, const std::optional<std::string>& after,
                                          std::size_t limit);
/// At most 1,000 of them, by the twins of the indexes.
std::vector<std::string> pending_at_swap(pg::Connection& db);

/// The first part of a swap, in its transaction and before the table is locked: whoever refreshes the view holds it for
/// long, and searches should not wait for that.
void swap_second_statistics(pg::Connection& db, const std::string& schema);
/// Exchanges all other names; needs the table for itself. `live` and `second` are what the columns of these names are
/// told to be afterwards.
void swap_second_column(pg::Connection& db, const std::string& schema, const ColumnComment& live,
                        const ColumnComment& second);

/// What depends on the live columns and would stay with the vectors that are there: views, constraints, triggers,
/// publications, as PostgreSQL describes them.
std::vector<std::string> dependents_of_live(pg::Connection& db);

}  // namespace decant::store
