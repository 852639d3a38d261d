#pragma once

#include <cstdint>
#include <string>

#include "core/enum_names.hpp"
#include "pg/connection.hpp"

namespace decant::search {

/// How the nearest rows were found: by the HNSW index, which goes on until enough rows pass the filter, or by comparing
/// every row that passes, which is quicker, and exact, where few do.
enum class Scan { index, exact };
inline constexpr EnumNames<Scan, 2> scan_names{{"index", "exact"}};

/// Under a filter the index gives rows out of order, which is put right among the wanted ones and so many more.
std::uint64_t more_rows(std::uint64_t wanted) noexcept;

/// For `wanted` rows where about `passing` of `rows` pass the filter.
Scan cheaper_scan(std::uint64_t wanted, std::uint64_t passing, std::uint64_t rows) noexcept;

/// Rows that hnsw.ef_search has the index look at for the `wanted` nearest ones with this recall. Calibrated on 100,000
/// clustered vectors of 384 dimensions (docs/search.md).
std::uint64_t ef_search_for(std::uint64_t wanted, double recall) noexcept;

/// Settings of the transaction for an index scan that does not end before enough rows pass.
pg::Statement index_settings(std::uint64_t ef_search);

/// Lines of EXPLAIN, without the numbers of the vector.
std::string plan_text(const pg::Result& lines);

}  // namespace decant::search
