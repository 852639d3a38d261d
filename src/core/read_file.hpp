#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace decant {

/// What read_file() reads, for its errors.
struct FileToRead {
    std::string_view what;  ///< "product file"
    std::size_t most_bytes;
    std::string_view remedy;  ///< for one that is larger
};

/// The whole file; - is standard input. Throws Error{permission_denied}, Error{source_unreadable}, Error{too_large}.
std::string read_file(const std::string& path, const FileToRead& expected);

}  // namespace decant
