#pragma once

#include <filesystem>
#include <string>

namespace decant::test {

/// A memory file system of a size of its own, mounted on a temporary folder and gone with this object. For root only.
class SmallDisk {
public:
    /// Sizes as mount writes them: "4m". Throws when it cannot be mounted.
    explicit SmallDisk(const std::string& size);
    SmallDisk(const SmallDisk&) = delete;
    SmallDisk& operator=(const SmallDisk&) = delete;
    ~SmallDisk();

    /// False where this process may not mount.
    static bool is_possible();

    void resize(const std::string& size) const;
    const std::filesystem::path& path() const noexcept { return path_; }

private:
    std::filesystem::path path_;
};

}  // namespace decant::test
