#include "tests/support/tcp_proxy.hpp"

#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace decant::test {
namespace {

class Socket {
public:
    explicit Socket(int fd) noexcept : fd_(fd) {}
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;
    ~Socket() {
        if (fd_ >= 0) ::close(fd_);
    }
    int fd() const noexcept { return fd_; }

private:
    int fd_;
};

bool send_all(int fd, const std::string& bytes) {
    for (std::size_t at = 0; at < bytes.size();) {
        const ssize_t sent = ::send(fd, bytes.data() + at, bytes.size() - at, MSG_NOSIGNAL);
        if (sent <= 0) return false;
        at += static_cast<std::size_t>(sent);
    }
    return true;
}

/// Empty at the connection's end.
std::string receive(int fd) {
    std::array<char, 65536> buffer{};
    const ssize_t got = ::recv(fd, buffer.data(), buffer.size(), 0);
    return got <= 0 ? std::string{} : std::string{buffer.data(), static_cast<std::size_t>(got)};
}

int connect_to(const std::filesystem::path& path) {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.string().copy(address.sun_path, sizeof address.sun_path - 1);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
    ::close(fd);
    return -1;
}

/// One step from one side to the other; false when the connections are to end.
bool pass_on(int from, int to, const TcpProxy::Filter& filter) {
    std::string bytes = receive(from);
    if (bytes.empty()) return false;
    switch (filter ? filter(bytes) : TcpProxy::Action::pass) {
        case TcpProxy::Action::pass:
            return send_all(to, bytes);
        case TcpProxy::Action::drop:
            return false;
        case TcpProxy::Action::pass_and_cut:
            send_all(to, bytes);
            return false;
        case TcpProxy::Action::answer_unseen:
            if (send_all(to, bytes)) receive(to);
            return false;
    }
    return false;
}

}  // namespace

TcpProxy::TcpProxy(std::filesystem::path server_socket, Filters filters)
    : server_socket_(std::move(server_socket)), filters_(std::move(filters)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_, generic, size) != 0 || ::listen(listener_, 64) != 0 ||
        ::getsockname(listener_, generic, &size) != 0) {
        throw std::runtime_error("the proxy cannot listen on 127.0.0.1");
    }
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread{[this] { accept_all(); }};
}

TcpProxy::~TcpProxy() {
    is_closing_ = true;
    acceptor_.join();
    for (std::thread& relay : relays_)
        relay.join();
    ::close(listener_);
}

std::string TcpProxy::conninfo(const std::string& database, const std::string& user) const {
    return fmt::format("host=127.0.0.1 port={} user={} dbname={}", port_, user, database);
}

void TcpProxy::accept_all() {
    while (!is_closing_) {
        pollfd ready{.fd = listener_, .events = POLLIN, .revents = 0};
        if (::poll(&ready, 1, 20) <= 0) continue;
        const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (client >= 0) relays_.emplace_back([this, client] { relay(client); });
    }
}

void TcpProxy::relay(int client_fd) const {
    const Socket client{client_fd};
    const Socket server{connect_to(server_socket_)};
    if (server.fd() < 0) return;
    while (!is_closing_) {
        std::array<pollfd, 2> sides{pollfd{.fd = client.fd(), .events = POLLIN, .revents = 0},
                                    pollfd{.fd = server.fd(), .events = POLLIN, .revents = 0}};
        if (::poll(sides.data(), sides.size(), 20) <= 0) continue;
        if (sides[0].revents != 0 && !pass_on(client.fd(), server.fd(), filters_.from_client)) return;
        if (sides[1].revents != 0 && !pass_on(server.fd(), client.fd(), filters_.from_server)) return;
    }
}

bool holds_statement(const std::string& bytes, const std::string& statement) {
    // 'Q', length of itself and the text with its NUL, text.
    const std::string message = fmt::format("Q{:c}{:c}{:c}{:c}{}{:c}", 0, 0, 0, 4 + statement.size() + 1, statement, 0);
    return bytes.find(message) != std::string::npos;
}

}  // namespace decant::test
