#include "tests/support/small_disk.hpp"

#include <fmt/format.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <stdexcept>
#include <system_error>

namespace decant::test {

SmallDisk::SmallDisk(const std::string& size) {
    std::string pattern = (std::filesystem::temp_directory_path() / "decant-disk-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make " + pattern);
    path_ = pattern;
    if (::mount("tmpfs", path_.c_str(), "tmpfs", 0, fmt::format("size={},mode=0755", size).c_str()) != 0) {
        const int failure = errno;
        std::filesystem::remove(path_);
        throw std::system_error(failure, std::generic_category(), "mount");
    }
}

SmallDisk::~SmallDisk() {
    ::umount2(path_.c_str(), MNT_DETACH);
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
}

bool SmallDisk::is_possible() {
    try {
        const SmallDisk probe{"64k"};
        return true;
    } catch (const std::exception&) {
        return false;
    }
}

void SmallDisk::resize(const std::string& size) const {
    if (::mount("tmpfs", path_.c_str(), "tmpfs", MS_REMOUNT, fmt::format("size={}", size).c_str()) != 0)
        throw std::system_error(errno, std::generic_category(), "mount -o remount");
}

}  // namespace decant::test
