#include "chroma/detail/change_watch.hpp"

#include <fmt/format.h>

#include "core/error.hpp"

namespace decant::chroma::detail {

const std::vector<std::string> index_file_names{"index_metadata.pickle", "header.bin", "data_level0.bin", "length.bin"};

ChangeWatch::ChangeWatch(const Database& db, const std::filesystem::path& directory, const std::string& vector_segment)
    : version_(db.prepare("PRAGMA data_version")) {
    const auto watch = [this](const std::filesystem::path& file) { files_.push_back({file, stamp_of(file)}); };
    watch(directory / "chroma.sqlite3");
    for (const std::string& name : index_file_names) {
        watch(directory / vector_segment / name);
    }
    data_version_ = read_version();
}

void ChangeWatch::require_unchanged() {
    if (read_version() != data_version_) {
        throw_changed("chroma.sqlite3");
    }
    for (const File& file : files_) {
        if (stamp_of(file.path) != file.stamp) {
            throw_changed(file.path.filename().string());
        }
    }
}

void ChangeWatch::throw_changed(const std::string& file) {
    throw Error{ErrorCode::source_changed, fmt::format("{} was written while it was read.", file),
                "run the command again; a directory that Chroma has open is read from a consistent copy"};
}

std::int64_t ChangeWatch::read_version() {
    version_.reset();
    const std::int64_t value = version_.step() ? version_.integer(0) : 0;
    version_.reset();
    return value;
}

}  // namespace decant::chroma::detail
