#include "core/loopback_port.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <optional>

#include "core/error.hpp"

namespace decant {
namespace {

/// The port that a bind to `port` gets; 0 asks the kernel for any.
std::optional<int> bound_port(int port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return std::nullopt;
    // As PostgreSQL does: a port whose last connections linger in TIME_WAIT is free.
    const int yes = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    const bool is_bound = ::bind(fd, generic, size) == 0 && ::getsockname(fd, generic, &size) == 0;
    ::close(fd);
    if (!is_bound) return std::nullopt;
    return ntohs(address.sin_port);
}

}  // namespace

int free_loopback_port() {
    if (const auto port = bound_port(0)) return *port;
    throw Error{ErrorCode::internal, "There is no free port on 127.0.0.1", "end programs that hold many sockets"};
}

bool is_loopback_port_free(int port) {
    return port > 0 && bound_port(port).has_value();
}

}  // namespace decant
