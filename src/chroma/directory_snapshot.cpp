#include "chroma/directory_snapshot.hpp"

#include "chroma/detail/in_use.hpp"
#include "chroma/detail/locate.hpp"
#include "chroma/detail/private_copy.hpp"

namespace decant::chroma {
namespace fs = std::filesystem;

DirectorySnapshot::DirectorySnapshot(const fs::path& path, const fs::path& place)
    : source_(detail::locate_directory(path)), copy_(std::make_unique<detail::PrivateCopy>(source_, place)) {}

DirectorySnapshot::~DirectorySnapshot() = default;

const fs::path& DirectorySnapshot::folder() const noexcept {
    return copy_->folder();
}

std::uint64_t DirectorySnapshot::newest_seq_id() const {
    return copy_->newest_seq_id();
}

std::optional<std::string> find_directory_user(const fs::path& path) {
    std::error_code ignored;
    return fs::is_regular_file(path / "chroma.sqlite3", ignored) ? detail::find_user(path) : std::nullopt;
}

}  // namespace decant::chroma
