#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>

namespace decant::chroma::detail {

/// What tells that a file was rewritten: Chroma rewrites its index files in place, without a lock.
struct FileStamp {
    std::uint64_t inode = 0;
    std::uint64_t size = 0;
    std::int64_t modified_ns = 0;
    bool operator==(const FileStamp&) const = default;
};

/// None when there is no such file.
std::optional<FileStamp> stamp_of(const std::filesystem::path& file);

/// A regular file, mapped read-only. Read it under a BusGuard: another process may truncate it. The bytes live as long
/// as this object, at the same address when it is moved.
class MappedFile {
public:
    /// None when there is no such file or it is no regular file; Error{source_unreadable, permission_denied} otherwise.
    static std::optional<MappedFile> open(const std::filesystem::path& file);

    MappedFile(MappedFile&& other) noexcept;
    MappedFile& operator=(MappedFile&& other) noexcept;
    ~MappedFile();

    std::span<const std::byte> bytes() const noexcept { return bytes_; }
    /// Says that reads come in no order, so that reading ahead is no use.
    void expect_random_reads() const noexcept;

private:
    explicit MappedFile(std::span<const std::byte> bytes) : bytes_(bytes) {}
    std::span<const std::byte> bytes_;
};

}  // namespace decant::chroma::detail
