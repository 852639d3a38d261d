#pragma once

#include <filesystem>
#include <vector>

#include "chroma/detail/catalog.hpp"
#include "chroma/detail/sqlite.hpp"
#include "chroma/directory.hpp"

namespace decant::chroma::detail {

/// The folder of the one chroma.sqlite3 at `path` or at most three levels below. Throws Error{not_found},
/// Error{conflict} where there are several, Error{source_unreadable} for a directory of Chroma 0.3 (Parquet).
std::filesystem::path locate_directory(const std::filesystem::path& path);

/// Folders of vector segments that no row names (deleted collections), and migrations that decant does not know.
std::vector<Finding> inspect_surroundings(const Database& db, const std::filesystem::path& directory,
                                          const Catalog& catalog);

}  // namespace decant::chroma::detail
