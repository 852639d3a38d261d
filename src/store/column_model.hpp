#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "catalog/embedding_text.hpp"
#include "pg/connection.hpp"

namespace decant::store {

/// One vector of products with what belongs to it. Unquoted names.
struct VectorColumns {
    std::string_view embedding;
    std::string_view model;
    std::string_view hash;
    std::string_view update;
};
/// What searches compare.
inline constexpr VectorColumns live_columns{"embedding", "embedding_model", "embedding_hash", "last_embedding_update"};
/// Beside them: of the next model while it is filled, of the one before while it is kept.
inline constexpr VectorColumns second_columns{"embedding_second", "embedding_second_model", "embedding_second_hash",
                                              "embedding_second_update"};

/// Which model a column's vectors are of. It stands in the column's comment, so that it goes where the column goes:
/// through a swap of names, into a dump, to a standby; and everybody may read it.
struct ColumnModel {
    std::string provider;
    std::string name;
    std::uint32_t dimension = 0;
    std::uint32_t asked_dimension = 0;  ///< of a model that can give several; 0: its own
    std::string passage_prefix = {};
    std::string query_prefix = {};
    catalog::TextRecipe recipe = catalog::TextRecipe::labelled;

    bool operator==(const ColumnModel&) const = default;
};

/// Of a second column.
enum class SecondState {
    filling,  ///< a change is under way, or was left
    kept,     ///< of the model before, for a rollback
};

struct ColumnComment {
    ColumnModel model;
    std::optional<SecondState> second = {};  ///< none: the column is live
    std::string since = {};                  ///< UTC, ISO 8601: when the change was begun, or made
};

/// None where there is no such column, or its comment is none of decant's: the settings alone tell the model then.
std::optional<ColumnModel> read_column_model(pg::Connection& db, std::string_view column = live_columns.embedding);
std::optional<ColumnComment> read_column_comment(pg::Connection& db, std::string_view column);

/// The statement that read_column_model() asks, for a batch; in the transaction in which a query compared vectors,
/// after it, it tells what that query compared: no swap comes in between, which needs the table for itself.
pg::Statement column_model_statement(std::string_view column);
std::optional<ColumnModel> column_model_of(const pg::Result& rows);

/// As COMMENT ON COLUMN takes it, unquoted.
std::string comment_text(const ColumnComment& comment);

}  // namespace decant::store
