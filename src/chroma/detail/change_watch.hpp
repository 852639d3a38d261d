#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "chroma/detail/mapped_file.hpp"
#include "chroma/detail/sqlite.hpp"

namespace decant::chroma::detail {

/// The files of a vector segment that are read.
extern const std::vector<std::string> index_file_names;

/// What must stay as it was while a collection is read: chroma.sqlite3 and the files of its vector segment. Call inside
/// a ReadTransaction.
class ChangeWatch {
public:
    ChangeWatch(const Database& db, const std::filesystem::path& directory, const std::string& vector_segment);

    /// Call at both ends of a read. Throws Error{source_changed} naming the file.
    void require_unchanged();

    [[noreturn]] static void throw_changed(const std::string& file);

private:
    struct File {
        std::filesystem::path path;
        std::optional<FileStamp> stamp;
    };

    std::int64_t read_version();

    Statement version_;
    std::int64_t data_version_ = 0;
    std::vector<File> files_;
};

}  // namespace decant::chroma::detail
