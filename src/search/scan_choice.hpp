#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/enum_names.hpp"
#include "pg/connection.hpp"

namespace decant::search {

/// How the nearest rows were found: by the HNSW index, or by comparing every row that passes the filter, which is
/// exact, and quicker where few do.
enum class Scan { index, exact };
inline constexpr EnumNames<Scan, 2> scan_names{{"index", "exact"}};

/// What is known of a filter before it is searched with.
struct Passing {
    std::uint64_t rows = 0;     ///< of the table
    std::uint64_t passing = 0;  ///< of them
    double reading_cost = 0;    ///< of reading those that pass without their vectors, in the planner's units
};

/// One way to look for rows.
struct ScanStep {
    Scan scan = Scan::index;
    std::uint64_t ef_search = 0;  ///< of Scan::index: rows that it holds as the nearest
    bool goes_on = false;         ///< past those, until enough pass; such rows come out of order,
    std::uint64_t more = 0;       ///< which is put right among the wanted ones and so many more
};

/// What to try, one after the other, until `wanted` rows are found. `filter` is none where (nearly) all rows pass.
std::vector<ScanStep> scan_steps(std::uint64_t wanted, double recall, const std::optional<Passing>& filter);

/// An hnsw.ef_search that finds this share of the `wanted` nearest rows. Calibrated on 100,000 clustered vectors of 384
/// dimensions, with a margin: no two graphs that pgvector builds of the same vectors are equal (docs/benchmarks.md).
std::uint64_t ef_search_for(std::uint64_t wanted, double recall) noexcept;

/// The lists of an IVFFlat index to look into, for about this share of the nearest rows.
std::uint64_t ivfflat_probes_for(std::uint64_t lists, double recall) noexcept;

/// Settings of the transaction that the step is to be run with. `ivfflat_probes` is 0 where the index is none of
/// IVFFlat; an index of that looks into further lists by itself until enough rows pass.
pg::Statement scan_settings(const ScanStep& step, std::uint64_t ivfflat_probes = 0);

/// Lines of EXPLAIN, without the numbers of the vector.
std::string plan_text(const pg::Result& lines);

}  // namespace decant::search
