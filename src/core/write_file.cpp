#include "core/write_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

#include "core/error.hpp"

namespace decant {
namespace {

[[noreturn]] void throw_failure(const std::filesystem::path& path, int failure) {
    const bool is_full = failure == ENOSPC || failure == EDQUOT;
    throw Error{
        is_full ? ErrorCode::store_full : ErrorCode::permission_denied,
        fmt::format("{} cannot be written: {}", path.string(), std::generic_category().message(failure)),
        is_full ? "Free space, then run the same command again." : "Name another path, or mend its permissions."};
}

bool write_all(int file, std::string_view content) {
    while (!content.empty()) {
        const ssize_t written = write(file, content.data(), content.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return false;
        content.remove_prefix(static_cast<std::size_t>(written));
    }
    // EINVAL: a device or a pipe, which has nothing to sync.
    return fsync(file) == 0 || errno == EINVAL;
}

/// A device or a pipe cannot be put aside, and a rename would put a file in its place.
void write_into(const std::filesystem::path& path, std::string_view content) {
    const int file = open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (file < 0) throw_failure(path, errno);
    const bool is_written = write_all(file, content);
    const int failure = errno;
    close(file);
    if (!is_written) throw_failure(path, failure);
}

}  // namespace

void write_file(const std::filesystem::path& path, std::string_view content) {
    std::error_code none;
    const auto kind = std::filesystem::status(path, none).type();
    if (kind == std::filesystem::file_type::directory) throw_failure(path, EISDIR);
    const bool is_there = kind != std::filesystem::file_type::not_found && kind != std::filesystem::file_type::none;
    if (is_there && kind != std::filesystem::file_type::regular) return write_into(path, content);
    // The file that a link names is replaced, never the link.
    const std::filesystem::path file_path = is_there ? std::filesystem::canonical(path) : path;
    const std::string beside = fmt::format("{}.{}.part", file_path.string(), getpid());
    struct stat present{};
    const bool had_file = is_there && stat(file_path.c_str(), &present) == 0;
    const int file = open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, had_file ? 0600 : 0644);
    if (file < 0) throw_failure(path, errno);
    // What others may not read stays so; the owner can be kept by root alone.
    const bool is_alike = !had_file || (fchown(file, present.st_uid, present.st_gid) >= 0 || errno == EPERM);
    const bool is_written =
        is_alike && (!had_file || fchmod(file, present.st_mode & 07777U) == 0) && write_all(file, content);
    const int failure = errno;
    close(file);
    if (is_written && rename(beside.c_str(), file_path.c_str()) == 0) return;
    const int reason = is_written ? errno : failure;
    unlink(beside.c_str());
    throw_failure(path, reason);
}

}  // namespace decant
