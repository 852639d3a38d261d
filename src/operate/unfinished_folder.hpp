#pragma once

#include <filesystem>
#include <string_view>

namespace decant::operate {

/// A new folder, 0700, for what is not whole yet: removed with this object, or when the process was killed with the
/// next one of the same prefix in the same place. One thread.
class UnfinishedFolder {
public:
    /// Makes `place` where it is missing. Throws Error{permission_denied}, Error{store_full}.
    UnfinishedFolder(const std::filesystem::path& place, std::string_view prefix);
    UnfinishedFolder(const UnfinishedFolder&) = delete;
    UnfinishedFolder& operator=(const UnfinishedFolder&) = delete;
    ~UnfinishedFolder();

    const std::filesystem::path& path() const noexcept { return path_; }

    /// Everything in it is on the disk, and in one step it is at `whole`, where nothing is or an empty folder, on the
    /// same file system. Throws Error{conflict}, Error{store_full}.
    void become(const std::filesystem::path& whole);

    /// As become(), exchanged in one step with `present`, which is at `kept` afterwards, in the same folder. Of a
    /// process that is killed before that step `present` stays where it is, and `kept` is the folder.
    void take_the_place_of(const std::filesystem::path& present, const std::filesystem::path& kept);

private:
    void sync() const;

    std::filesystem::path path_;
    int lock_ = -1;
};

/// `path` itself, else with -2, -3, … behind it: the first that is not there.
std::filesystem::path free_path(const std::filesystem::path& path);

}  // namespace decant::operate
