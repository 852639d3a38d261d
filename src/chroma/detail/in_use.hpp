#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace decant::chroma::detail {

/// Why the directory must not be read in place: "process 4711 (python3) has chroma.sqlite3 open", a journal that waits
/// to be rolled back, a lock, a write-ahead log. None when nothing speaks against it. Processes of other users can be
/// seen only by root.
std::optional<std::string> why_in_use(const std::filesystem::path& directory);

/// Who might write to the directory now: of the above only a process that has it open, or has locked it.
std::optional<std::string> find_user(const std::filesystem::path& directory);

}  // namespace decant::chroma::detail
