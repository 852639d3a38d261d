#include "core/setting_file.hpp"

#include <cerrno>
#include <fstream>
#include <system_error>

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "core/error.hpp"

namespace decant {
namespace {

constexpr std::size_t largest_file = 1U << 20U;

bool is_on_read_only_mount(const std::string& path) {
    struct statvfs mount{};
    return statvfs(path.c_str(), &mount) == 0 && (mount.f_flag & ST_RDONLY) != 0;
}

void check_mode(const std::string& path, SettingFile kind, mode_t mode) {
    const bool is_too_writable = (mode & S_IWOTH) != 0;
    const bool is_too_readable = kind == SettingFile::secret && (mode & S_IROTH) != 0;
    if ((!is_too_writable && !is_too_readable) || is_on_read_only_mount(path)) return;
    throw Error{ErrorCode::config_invalid,
                fmt::format("{} may be {} by every user of this machine (mode {:04o})", path,
                            is_too_writable ? "written" : "read", mode & 07777U),
                fmt::format("chmod {} {}", kind == SettingFile::secret ? "600" : "o-w", path)};
}

[[noreturn]] void fail(const std::string& path, std::string_view what) {
    throw Error{ErrorCode::config_invalid, fmt::format("{}: {}", path, what),
                "name a readable file, or remove the setting that names it"};
}

}  // namespace

std::string read_setting_file(const std::string& path, SettingFile kind) {
    struct stat status{};
    if (stat(path.c_str(), &status) != 0) fail(path, std::generic_category().message(errno));
    if (!S_ISREG(status.st_mode)) fail(path, "not a regular file");
    check_mode(path, kind, status.st_mode);
    std::ifstream file{path, std::ios::binary};
    if (!file) fail(path, std::generic_category().message(errno));
    std::string text(largest_file + 1, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(file.gcount()));
    if (text.size() > largest_file) fail(path, "larger than 1 MiB");
    if (kind == SettingFile::secret) {
        while (!text.empty() && (text.back() == '\n' || text.back() == '\r'))
            text.pop_back();
        if (text.empty()) fail(path, "holds no secret");
    }
    return text;
}

}  // namespace decant
