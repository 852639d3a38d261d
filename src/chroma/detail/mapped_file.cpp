#include "chroma/detail/mapped_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "core/error.hpp"

namespace decant::chroma::detail {
namespace {

class Descriptor {
public:
    explicit Descriptor(int fd) : fd_(fd) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (fd_ >= 0) {
            ::close(fd_);
        }
    }
    int get() const noexcept { return fd_; }

private:
    int fd_;
};

[[noreturn]] void throw_unreadable(const std::filesystem::path& file, int error) {
    const bool is_forbidden = error == EACCES || error == EPERM;
    throw Error{is_forbidden ? ErrorCode::permission_denied : ErrorCode::source_unreadable,
                fmt::format("{} cannot be read: {}.", file.string(), std::generic_category().message(error)),
                is_forbidden ? "run as a user that may read the Chroma directory"
                             : "check the disk, or restore the directory from a backup"};
}

}  // namespace

std::optional<FileStamp> stamp_of(const std::filesystem::path& file) {
    struct stat status{};
    if (::stat(file.c_str(), &status) != 0) {
        return std::nullopt;
    }
    return FileStamp{.inode = status.st_ino,
                     .size = static_cast<std::uint64_t>(status.st_size),
                     .modified_ns = status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec};
}

std::optional<MappedFile> MappedFile::open(const std::filesystem::path& file) {
    // O_NONBLOCK: a FIFO put in the place of a file must not hold us up.
    const Descriptor descriptor{::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    if (descriptor.get() < 0) {
        if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP) {
            return std::nullopt;
        }
        throw_unreadable(file, errno);
    }
    struct stat status{};
    if (::fstat(descriptor.get(), &status) != 0) {
        throw_unreadable(file, errno);
    }
    if (!S_ISREG(status.st_mode)) {
        return std::nullopt;
    }
    const auto size = static_cast<std::size_t>(status.st_size);
    if (size == 0) {
        return MappedFile{{}};
    }
    void* data = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, descriptor.get(), 0);
    if (data == MAP_FAILED) {
        throw_unreadable(file, errno);
    }
    return MappedFile{{static_cast<const std::byte*>(data), size}};
}

MappedFile::MappedFile(MappedFile&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    return *this;
}

MappedFile::~MappedFile() {
    if (!bytes_.empty()) {
        ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
    }
}

void MappedFile::expect_random_reads() const noexcept {
    if (!bytes_.empty()) {
        ::madvise(const_cast<std::byte*>(bytes_.data()), bytes_.size(), MADV_RANDOM);
    }
}

}  // namespace decant::chroma::detail
