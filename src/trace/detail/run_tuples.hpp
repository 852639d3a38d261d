#pragma once

#include <string>
#include <string_view>

#include "trace/sink.hpp"

namespace decant::trace::detail {

/// What of the runs decant.trace_runs gets.
struct TupleForm {
    bool keeps_texts = false;  ///< without it a run has no inputs, and outputs only of products
    double sampling_rate = 1;  ///< as of record_of
};

/// For run_tuples.
inline constexpr std::string_view copy_runs_sql =
    "COPY decant.trace_runs (id, trace_id, parent_id, project, request_id, name, run_type, started_at, milliseconds, "
    "inputs, outputs, metadata, tags, error, is_sampled, bytes) FROM STDIN (FORMAT binary)";

/// One tuple of COPY's binary format for each run.
std::string run_tuples(const Runs& runs, const TupleForm& form);

}  // namespace decant::trace::detail
