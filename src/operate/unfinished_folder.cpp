#include "operate/unfinished_folder.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string>
#include <system_error>

#include "core/error.hpp"
#include "core/failpoint.hpp"

namespace decant::operate {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void throw_failure(const fs::path& path, int failure) {
    const bool is_full = failure == ENOSPC || failure == EDQUOT;
    throw Error{is_full ? ErrorCode::store_full : ErrorCode::permission_denied,
                fmt::format("{} cannot be written: {}", path.string(), std::generic_category().message(failure)),
                is_full ? "Free space, then run the same command again: nothing was kept of this one."
                        : "Name another place, or run this as a user who may write it."};
}

/// -1 where it is none, or somebody holds it.
int lock_folder(const fs::path& path) {
    const int folder = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (folder >= 0 && ::flock(folder, LOCK_EX | LOCK_NB) == 0) return folder;
    if (folder >= 0) ::close(folder);
    return -1;
}

void remove_abandoned(const fs::path& place, std::string_view prefix) {
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator{place, ignored}) {
        if (!entry.path().filename().string().starts_with(prefix)) continue;
        const int lock = lock_folder(entry.path());
        if (lock < 0) continue;
        fs::remove_all(entry.path(), ignored);
        ::close(lock);
    }
}

void move_to(const fs::path& from, const fs::path& to, unsigned flags) {
    if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), flags) == 0) return;
    const int failure = errno;
    if (failure != ENOTEMPTY && failure != EEXIST && failure != EINVAL && failure != EXDEV && failure != ENOTDIR)
        throw_failure(to, failure);
    throw Error{ErrorCode::conflict,
                fmt::format("{} cannot be moved to {}: {}", from.string(), to.string(),
                            std::generic_category().message(failure)),
                "Name a path where nothing is."};
}

void sync_folder(const fs::path& path) {
    const int folder = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) return;
    ::fsync(folder);
    ::close(folder);
}

fs::path parent_of(const fs::path& path) {
    return path.has_parent_path() ? path.parent_path() : fs::path{"."};
}

}  // namespace

UnfinishedFolder::UnfinishedFolder(const fs::path& place, std::string_view prefix) {
    std::error_code failure;
    fs::create_directories(place, failure);
    if (failure) throw_failure(place, failure.value());
    remove_abandoned(place, prefix);
    std::string pattern = (place / fmt::format("{}XXXXXX", prefix)).string();
    if (::mkdtemp(pattern.data()) == nullptr) throw_failure(place, errno);
    path_ = pattern;
    lock_ = lock_folder(path_);
}

UnfinishedFolder::~UnfinishedFolder() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
    if (lock_ >= 0) ::close(lock_);
}

void UnfinishedFolder::sync() const {
    // All of the file system: what other programs wrote into the folder is not known by name.
    const int folder = ::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool is_synced = folder >= 0 && ::syncfs(folder) == 0;
    const int failure = errno;
    if (folder >= 0) ::close(folder);
    if (!is_synced) throw_failure(path_, failure);
}

void UnfinishedFolder::become(const fs::path& whole) {
    sync();
    move_to(path_, whole, 0);
    path_.clear();
    sync_folder(parent_of(whole));
}

void UnfinishedFolder::take_the_place_of(const fs::path& present, const fs::path& kept) {
    sync();
    // First away from the name that is removed when the process was killed: what was there gets the folder's.
    move_to(path_, kept, RENAME_NOREPLACE);
    path_ = kept;
    failpoint("restore.placing");
    move_to(kept, present, RENAME_EXCHANGE);
    path_.clear();
    sync_folder(parent_of(present));
}

fs::path free_path(const fs::path& path) {
    fs::path free = path;
    for (int n = 2; fs::exists(fs::symlink_status(free)); ++n)
        free = fmt::format("{}-{}", path.string(), n);
    return free;
}

}  // namespace decant::operate
