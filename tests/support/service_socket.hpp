#pragma once

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <string>
#include <system_error>

namespace decant::test {

/// The unix datagram socket that systemd hands to a service of Type=notify.
class ServiceSocket {
public:
    /// `name` is a path, or begins with @ for the abstract namespace.
    explicit ServiceSocket(const std::string& name) : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        name.copy(address.sun_path, sizeof address.sun_path - 1);
        if (name.front() == '@') address.sun_path[0] = '\0';
        const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
        if (::bind(socket_, reinterpret_cast<const sockaddr*>(&address), length) != 0)
            throw std::system_error{errno, std::generic_category(), name};
        const timeval longest{.tv_sec = 30, .tv_usec = 0};
        ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &longest, sizeof longest);
    }
    ServiceSocket(const ServiceSocket&) = delete;
    ServiceSocket& operator=(const ServiceSocket&) = delete;
    ~ServiceSocket() { ::close(socket_); }

    /// The next message, waited for up to 30 s; empty when none came.
    std::string next() const { return receive(0); }
    /// The same without waiting.
    std::string next_at_once() const { return receive(MSG_DONTWAIT); }

private:
    std::string receive(int flags) const {
        std::array<char, 256> buffer{};
        const ssize_t length = ::recv(socket_, buffer.data(), buffer.size(), flags);
        return {buffer.data(), length < 0 ? 0U : static_cast<std::size_t>(length)};
    }

    int socket_;
};

}  // namespace decant::test
