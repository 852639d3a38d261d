#include "store/password_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/rand.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>

#include "core/error.hpp"

namespace decant::store {

std::optional<PasswordFile> read_password_file(const std::filesystem::path& path) {
    std::ifstream stream{path};
    std::string line;
    if (!std::getline(stream, line)) return std::nullopt;
    const std::size_t port_start = line.find(':');
    const std::size_t password_start = line.rfind(':');
    if (port_start == std::string::npos || password_start + 1 >= line.size()) return std::nullopt;
    PasswordFile content{.port = 0, .password = line.substr(password_start + 1)};
    const char* first = line.data() + port_start + 1;
    const auto [end, error] = std::from_chars(first, line.data() + line.size(), content.port);
    if (error != std::errc{} || *end != ':') return std::nullopt;
    return content;
}

void write_password_file(const std::filesystem::path& path, const PasswordFile& content, const std::string& user) {
    std::string text;
    for (const char* host : {"127.0.0.1", "localhost"})
        text += fmt::format("{}:{}:*:{}:{}\n", host, content.port, user, content.password);
    const std::string temporary = path.string() + ".new";
    ::unlink(temporary.c_str());
    const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
    const bool is_written =
        fd >= 0 && ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && ::fsync(fd) == 0;
    const int error = errno;
    if (fd >= 0) ::close(fd);
    if (is_written && ::rename(temporary.c_str(), path.c_str()) == 0) return;
    throw Error{ErrorCode::permission_denied,
                fmt::format("Cannot write {}: {}", path.string(), std::strerror(is_written ? errno : error)),
                "make its folder writable, or set DECANT_HOME to a folder of yours"};
}

std::string random_password() {
    std::array<unsigned char, 16> bytes{};
    if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) {
        throw Error{ErrorCode::internal, "The system gives no random bytes", "see that /dev/urandom is there"};
    }
    std::string hex;
    for (const unsigned char byte : bytes)
        hex += fmt::format("{:02x}", byte);
    return hex;
}

}  // namespace decant::store
