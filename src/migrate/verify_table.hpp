#pragma once

#include <optional>
#include <string>

#include "migrate/copy.hpp"

namespace decant::migrate {

enum class VerifySide { automatic, source, digests };

struct VerifyTableRequest {
    std::string conninfo;
    TableName table;
    std::optional<chroma::SourceAddress> source;  ///< where the source is now; none: where it was
    VerifySide side = VerifySide::automatic;
};

struct VerifyTableReport {
    TableName table;
    std::int64_t run_id = 0;
    std::string root;
    std::string why_not_source;  ///< with digests: "the directory is gone", "it has changed since the copy"
    VerifyOutcome outcome;
    std::optional<RecallOutcome> recall;  ///< when the table has a vector index
};

/// Verifies a table that decant made: against the source if it is there in the state that was copied, else against the
/// run's digests. Throws Error{not_found} for a table without a finished run.
VerifyTableReport verify_table(const VerifyTableRequest& request, CopyObserver& observer);

/// Tables that decant made and that exist, in order of their names.
std::vector<TableName> copied_tables(const std::string& conninfo);

}  // namespace decant::migrate
