#pragma once

#include <filesystem>
#include <string_view>

namespace decant {

/// Writes beside the path, syncs, then renames: a reader sees the old file or the whole new one, never a part.
/// A file that is there keeps its mode and, for root, its owner. A device or a pipe (/dev/stderr, /dev/null) is written
/// into, a link is followed. Throws Error{store_full} when the disk is full, Error{permission_denied} when the folder
/// takes no files.
void write_file(const std::filesystem::path& path, std::string_view content);

}  // namespace decant
