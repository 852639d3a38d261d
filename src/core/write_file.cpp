#include "core/write_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include "core/error.hpp"

namespace decant {
namespace {

[[noreturn]] void throw_failure(const std::filesystem::path& path, int failure) {
    const bool is_full = failure == ENOSPC || failure == EDQUOT;
    throw Error{
        is_full ? ErrorCode::store_full : ErrorCode::permission_denied,
        fmt::format("{} cannot be written: {}", path == "-" ? "Standard output" : path.string(),
                    std::generic_category().message(failure)),
        is_full ? "Free space, then run the same command again." : "Name another path, or mend its permissions."};
}

}  // namespace

FileWriter::FileWriter(std::filesystem::path path) : path_(std::move(path)) {
    if (path_ == "-") {
        file_ = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
        if (file_ < 0) fail(errno);
        return;
    }
    std::error_code none;
    const auto kind = std::filesystem::status(path_, none).type();
    if (kind == std::filesystem::file_type::directory) fail(EISDIR);
    const bool is_there = kind != std::filesystem::file_type::not_found && kind != std::filesystem::file_type::none;
    if (is_there && kind != std::filesystem::file_type::regular) {
        // A device or a pipe cannot be put aside, and a rename would put a file in its place.
        file_ = open(path_.c_str(), O_WRONLY | O_CLOEXEC);
        if (file_ < 0) fail(errno);
        return;
    }
    // The file that a link names is replaced, never the link.
    target_ = is_there ? std::filesystem::canonical(path_) : path_;
    beside_ = fmt::format("{}.{}.part", target_.string(), getpid());
    struct stat present{};
    const bool had_file = is_there && stat(target_.c_str(), &present) == 0;
    file_ = open(beside_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, had_file ? 0600 : 0644);
    if (file_ < 0) {
        beside_.clear();
        fail(errno);
    }
    // What others may not read stays so; the owner can be kept by root alone.
    const bool is_alike = !had_file || fchown(file_, present.st_uid, present.st_gid) >= 0 || errno == EPERM;
    if (!is_alike || (had_file && fchmod(file_, present.st_mode & 07777U) != 0)) fail(errno);
}

FileWriter::~FileWriter() {
    discard();
}

void FileWriter::write(std::string_view content) {
    while (!content.empty()) {
        const ssize_t written = ::write(file_, content.data(), content.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) fail(errno);
        content.remove_prefix(static_cast<std::size_t>(written));
    }
}

void FileWriter::finish(Durability durability) {
    // EINVAL: a device or a pipe, which has nothing to sync.
    if (durability == Durability::power_loss && fsync(file_) != 0 && errno != EINVAL) fail(errno);
    if (!beside_.empty() && rename(beside_.c_str(), target_.c_str()) != 0) fail(errno);
    beside_.clear();
}

void FileWriter::discard() noexcept {
    if (file_ >= 0) close(file_);
    file_ = -1;
    if (!beside_.empty()) unlink(beside_.c_str());
    beside_.clear();
}

void FileWriter::fail(int failure) {
    discard();
    throw_failure(path_, failure);
}

void write_file(const std::filesystem::path& path, std::string_view content, Durability durability) {
    FileWriter file{path};
    file.write(content);
    file.finish(durability);
}

}  // namespace decant
