#include "core/read_file.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "core/error.hpp"
#include "core/quantity_text.hpp"
#include "core/utf8.hpp"

namespace decant {

std::string read_file(const std::string& path, const FileToRead& expected) {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file{
        path == "-" ? stdin : std::fopen(path.c_str(), "rbe"),
        [](std::FILE* open) { return open == stdin ? 0 : std::fclose(open); }};
    std::string text;
    std::array<char, 1UL << 16U> piece{};
    while (const std::size_t count = file ? std::fread(piece.data(), 1, piece.size(), file.get()) : 0) {
        text.append(piece.data(), count);
        if (text.size() > expected.most_bytes) {
            throw Error{ErrorCode::too_large,
                        fmt::format("The {} '{}' is larger than {}", expected.what, printable(path),
                                    bytes_text(expected.most_bytes)),
                        std::string{expected.remedy}};
        }
    }
    if (file && std::ferror(file.get()) == 0) return text;
    throw Error{errno == EACCES ? ErrorCode::permission_denied : ErrorCode::source_unreadable,
                fmt::format("The {} '{}' cannot be read: {}", expected.what, printable(path), std::strerror(errno)),
                "Check the path; - is standard input."};
}

}  // namespace decant
