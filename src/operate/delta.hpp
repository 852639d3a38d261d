#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "migrate/page_stream.hpp"
#include "migrate/target_table.hpp"

namespace decant::operate {

/// What of a copied table is brought to the source's state.
struct Delta {
    migrate::TableName table;
    std::span<const std::string> ids;          ///< that may have changed, sorted bytewise
    std::span<const chroma::LostRecord> lost;  ///< the source has these and cannot give them
};

struct DeltaCounts {
    std::uint64_t inserted = 0;
    std::uint64_t updated = 0;
    std::uint64_t deleted = 0;
    std::uint64_t unchanged = 0;
    std::vector<migrate::Reject> rejects;  ///< records that no row can hold; rows of theirs stay as they were
};

/// Writes the records of `pages`, all of whose ids are among the delta's, and removes rows of ids that have no record
/// any more; rows that are equal byte for byte are left alone. In the caller's transaction.
DeltaCounts apply_delta(pg::Connection& db, const Delta& delta, migrate::PageStream& pages);

}  // namespace decant::operate
