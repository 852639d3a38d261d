#include "chroma/detail/in_use.hpp"

#include <dirent.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <memory>
#include <string_view>
#include <system_error>

#include "chroma/detail/sqlite.hpp"

namespace decant::chroma::detail {
namespace fs = std::filesystem;
namespace {

bool is_number(std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

std::string name_of_process(const fs::path& process) {
    std::ifstream file{process / "comm"};
    std::string name;
    std::getline(file, name);
    return name.empty() ? "?" : name;
}

struct CloseFolder {
    void operator()(DIR* folder) const noexcept { ::closedir(folder); }
};

/// By bare system calls: a machine has thousands of descriptors.
bool holds_open(const fs::path& process, const fs::path& file, const struct stat& wanted) {
    const std::unique_ptr<DIR, CloseFolder> folder{::opendir((process / "fd").c_str())};
    if (!folder) {
        return false;
    }
    const std::string name = file.filename().string();
    std::array<char, 4096> target{};
    while (const dirent* descriptor = ::readdir(folder.get())) {
        // The link's name first: asking a descriptor for its status may wait, for a file on a dead network share.
        const auto length = ::readlinkat(::dirfd(folder.get()), static_cast<const char*>(descriptor->d_name),
                                         target.data(), target.size());
        struct stat status{};
        if (length > 0 && std::string_view{target.data(), static_cast<std::size_t>(length)}.ends_with(name) &&
            ::fstatat(::dirfd(folder.get()), static_cast<const char*>(descriptor->d_name), &status, 0) == 0 &&
            status.st_dev == wanted.st_dev && status.st_ino == wanted.st_ino) {
            return true;
        }
    }
    return false;
}

std::optional<std::string> find_process(const fs::path& file) {
    struct stat wanted{};
    if (::stat(file.c_str(), &wanted) != 0) {
        return std::nullopt;
    }
    const std::string self = std::to_string(::getpid());
    std::error_code ignored;
    fs::directory_iterator process{"/proc", ignored};
    for (; process != fs::directory_iterator{}; process.increment(ignored)) {
        const std::string pid = process->path().filename().string();
        if (is_number(pid) && pid != self && holds_open(process->path(), file, wanted)) {
            return fmt::format("process {} ({}) has chroma.sqlite3 open", pid, name_of_process(process->path()));
        }
    }
    return std::nullopt;
}

std::optional<std::string> find_hidden_user(const fs::path& file) {
    if (!is_locked(file)) {
        return std::nullopt;
    }
    return "a process that cannot be seen from here has locked chroma.sqlite3";
}

bool has_content(const fs::path& file) {
    std::error_code ignored;
    const auto size = fs::file_size(file, ignored);
    return !ignored && size > 0;
}

}  // namespace

std::optional<std::string> why_in_use(const fs::path& directory) {
    const fs::path file = directory / "chroma.sqlite3";
    if (auto process = find_process(file)) {
        return process;
    }
    if (has_content(directory / "chroma.sqlite3-journal")) {
        return "chroma.sqlite3-journal was left behind by a process that died in a write";
    }
    if (uses_write_ahead_log(file)) {
        return "chroma.sqlite3 was set to use a write-ahead log, which a reader would have to write";
    }
    return find_hidden_user(file);
}

std::optional<std::string> find_user(const fs::path& directory) {
    const fs::path file = directory / "chroma.sqlite3";
    auto process = find_process(file);
    return process ? process : find_hidden_user(file);
}

}  // namespace decant::chroma::detail
