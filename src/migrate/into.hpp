#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "migrate/copy.hpp"

namespace decant::migrate {

/// Which text of a record names the row it belongs to.
struct MatchKey {
    std::string column;                       ///< of the user's table
    std::optional<std::string> metadata_key;  ///< none: the record's id
};

struct IntoRequest {
    std::string conninfo;
    chroma::SourceAddress source;
    chroma::CollectionName collection;
    TableName table;
    MatchKey match;
    std::string column;       ///< the vector column
    bool add_column = false;  ///< make it where it is missing
    pg::VectorType type = pg::VectorType::vector;
    bool allow_partial = false;
    bool verify = true;
};

inline constexpr std::size_t max_listed_unmatched = 1'000;

struct IntoReport {
    std::int64_t run_id = 0;
    chroma::Collection collection;
    TableName table;
    std::string column;
    bool column_added = false;
    RowShape shape;
    Counts counts;  ///< read; updated, unchanged: rows of the table; rejected: records
    std::uint64_t lost = 0;
    std::uint64_t unmatched_records = 0;
    std::vector<std::string> unmatched_ids;  ///< of records that no row has the key of; the first of them
    std::uint64_t unmatched_rows = 0;
    std::vector<std::string> unmatched_keys;  ///< of rows that no record has; the first of them
    std::optional<VerifyOutcome> verification;
    std::vector<std::string> rejects;  ///< lines of the reject file
    std::vector<PhaseTime> phases;
    std::string index_sql;  ///< a statement that indexes the column
};

/// Fills one vector column of an existing table by key and changes no other column. Rows that already hold the vector
/// are not written, so a run that was interrupted is simply run again. Records without the key, and keys that several
/// records have, are rejected. Throws Error{not_found} for a missing table or column, Error{dimension_mismatch}.
IntoReport copy_into(const IntoRequest& request, CopyObserver& observer);

}  // namespace decant::migrate
