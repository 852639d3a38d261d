#pragma once

#include <filesystem>
#include <string_view>

namespace decant {

/// What a finished file is still there after. A sync makes other programs' commits wait, too.
enum class Durability { power_loss, crash_of_process };

/// Writes a file piece by piece beside its path; finish() syncs, unless it is told otherwise, and renames: a reader
/// sees the old file or the whole new one, never a part. Without finish() nothing is left. A file that is there keeps
/// its mode and, for root, its owner. A device or a pipe (/dev/stderr, /dev/null) is written into, a link is followed,
/// and "-" is standard output. All throw Error{store_full} when the disk is full, Error{permission_denied} when the
/// path cannot be written.
class FileWriter {
public:
    explicit FileWriter(std::filesystem::path path);
    FileWriter(const FileWriter&) = delete;
    FileWriter& operator=(const FileWriter&) = delete;
    ~FileWriter();

    void write(std::string_view content);
    void finish(Durability durability = Durability::power_loss);

private:
    void discard() noexcept;
    [[noreturn]] void fail(int failure);

    std::filesystem::path path_;
    std::filesystem::path target_;
    std::filesystem::path beside_;  ///< empty: written in place, or finished
    int file_ = -1;
};

/// All of a file at once, as FileWriter does.
void write_file(const std::filesystem::path& path, std::string_view content,
                Durability durability = Durability::power_loss);

}  // namespace decant
