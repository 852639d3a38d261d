#pragma once

#include <vector>

#include "chroma/detail/sqlite.hpp"
#include "chroma/directory.hpp"

namespace decant::chroma::detail {

/// Whether every page of embedding_metadata and of its index is sound and both have as many rows: about 2 ms for
/// 140,000 rows, so that damage is known before the first record is given. What it cannot see (an overflow page that is
/// gone) is an Error while reading.
bool is_metadata_sound(const Database& db);

/// What sqlite's own check says of the table, for the report: at most five lines.
std::vector<Finding> describe_metadata_damage(const Database& db);

}  // namespace decant::chroma::detail
