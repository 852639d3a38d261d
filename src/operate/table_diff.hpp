#pragma once

#include <optional>
#include <string>

#include "chroma/source.hpp"
#include "core/json.hpp"
#include "migrate/copy.hpp"
#include "migrate/verify.hpp"

namespace decant::operate {

struct DiffRequest {
    std::string conninfo;
    migrate::TableName table;
    std::optional<chroma::SourceAddress> source;  ///< where the source is now; none: where it was copied from
};

struct DiffReport {
    migrate::TableName table;
    std::string source;
    std::string collection;
    std::uint64_t lost = 0;          ///< records that the source has and cannot give; compared with nothing
    migrate::VerifyOutcome outcome;  ///< missing: only in the source; extra: only in the table
};

/// A copied table against its source as it is now, whatever happened to either since the copy. Nothing is written.
/// Throws Error{not_found} for a table that decant did not make, and what opening the source throws.
DiffReport diff_table(const DiffRequest& request, migrate::CopyObserver& observer);

/// At most `samples` ids of each kind.
json::object diff_json(const DiffReport& report, std::size_t samples);
std::string diff_text(const DiffReport& report, std::size_t samples);

}  // namespace decant::operate
