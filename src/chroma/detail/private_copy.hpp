#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace decant::chroma::detail {

/// A copy of a Chroma directory of one moment, in a folder of its own that goes with this object (or, when the process
/// was killed, with the next copy in the same place): chroma.sqlite3, rolled back where a journal asks for it, and the
/// files of its vector segments. The source is only read, and locked for writers no longer than it takes to copy
/// chroma.sqlite3.
class PrivateCopy {
public:
    /// In `place`, or where temporary files belong. Throws Error{source_changed} when no moment without writes was
    /// found, Error{source_unreadable} when the copy cannot be made, Error{store_full} when it does not fit.
    explicit PrivateCopy(const std::filesystem::path& source,
                         const std::filesystem::path& place = std::filesystem::temp_directory_path());
    PrivateCopy(const PrivateCopy&) = delete;
    PrivateCopy& operator=(const PrivateCopy&) = delete;
    ~PrivateCopy();

    const std::filesystem::path& folder() const noexcept { return folder_; }
    /// The newest seq_id that the copy knows.
    std::uint64_t newest_seq_id() const;

private:
    bool copy_once(const std::filesystem::path& source);
    bool copy_database(const std::filesystem::path& source);

    void lock_folder();
    void remove() noexcept;

    std::filesystem::path folder_;
    int lock_ = -1;  ///< held while the copy is in use: folders without a holder are removed by the next copy
};

}  // namespace decant::chroma::detail
