#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "operate/backup_manifest.hpp"

namespace decant::operate {

/// Writes the Chroma directory at `source` as it is at one moment into the new archive `file` (tar, gzip). The copy of
/// it that this needs is made beside the file and removed. Throws what chroma::DirectorySnapshot does,
/// Error{store_full}, Error{not_found} without tar.
ChromaBackup archive_directory(const std::filesystem::path& source, const std::filesystem::path& file);

/// Unpacks it into the empty folder `into` and reads what came out: one sentence for each collection that is not as the
/// backup counted it. Throws Error{store_full}, Error{source_unreadable}.
std::vector<std::string> unpack_directory(const ChromaBackup& backup, const std::filesystem::path& file,
                                          const std::filesystem::path& into);

}  // namespace decant::operate
