#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace decant::chroma {

namespace detail {
class PrivateCopy;
}

/// A Chroma directory as it was at one moment, whoever writes to it meanwhile: a copy that Chroma itself can open, gone
/// with this object. One thread.
class DirectorySnapshot {
public:
    /// `path` as Directory::open() takes it; the copy is made in `place`. Throws what Directory::open() does for what
    /// is no Chroma directory, Error{source_changed} when it is written to without a pause, Error{store_full}.
    DirectorySnapshot(const std::filesystem::path& path, const std::filesystem::path& place);
    DirectorySnapshot(const DirectorySnapshot&) = delete;
    DirectorySnapshot& operator=(const DirectorySnapshot&) = delete;
    ~DirectorySnapshot();

    const std::filesystem::path& source() const noexcept { return source_; }  ///< the folder of chroma.sqlite3
    const std::filesystem::path& folder() const noexcept;                     ///< of the copy
    std::uint64_t newest_seq_id() const;

private:
    std::filesystem::path source_;
    std::unique_ptr<detail::PrivateCopy> copy_;
};

/// Files of a copy that are no part of the directory.
inline constexpr const char* snapshot_lock_file = "in-use.lock";

/// Why another process might write to the directory at `path`: "process 4711 (python3) has chroma.sqlite3 open". None
/// where none is seen, or where there is no Chroma directory.
std::optional<std::string> find_directory_user(const std::filesystem::path& path);

}  // namespace decant::chroma
