#include "tests/support/raw_client.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

namespace decant::test {
namespace {

constexpr int longest_silence_ms = 20'000;

net::Headers headers_of(std::string_view head) {
    net::Headers headers;
    for (std::size_t start = head.find("\r\n") + 2; start < head.size();) {
        const std::size_t end = std::min(head.find("\r\n", start), head.size());
        const std::string_view line = head.substr(start, end - start);
        const std::size_t colon = line.find(": ");
        std::string name{line.substr(0, colon)};
        std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
        headers.emplace_back(name, line.substr(colon + 2));
        start = end + 2;
    }
    return headers;
}

}  // namespace

RawClient::RawClient(std::uint16_t port) : RawClient(port, 0) {}

RawClient::RawClient(std::uint16_t port, int receive_bytes)
    : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (receive_bytes > 0) ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
    const int yes = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
        ::close(socket_);
        throw std::runtime_error("no connection");
    }
}

RawClient::RawClient(RawClient&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)), input_(std::move(other.input_)) {}

RawClient::~RawClient() {
    if (socket_ >= 0) ::close(socket_);
}

RawClient RawClient::with_small_window(std::uint16_t port) {
    return RawClient{port, 4096};
}

bool RawClient::send(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

void RawClient::half_close() {
    ::shutdown(socket_, SHUT_WR);
}

void RawClient::reset() {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    ::close(std::exchange(socket_, -1));
}

bool RawClient::fill() {
    pollfd ready{.fd = socket_, .events = POLLIN, .revents = 0};
    if (::poll(&ready, 1, longest_silence_ms) <= 0) throw std::runtime_error("the server is silent");
    std::array<char, 65536> buffer{};
    const ssize_t got = ::recv(socket_, buffer.data(), buffer.size(), 0);
    if (got > 0) input_.append(buffer.data(), static_cast<std::size_t>(got));
    was_reset_ = got < 0;
    return got > 0;
}

std::string RawClient::take(std::size_t bytes) {
    while (input_.size() < bytes) {
        if (!fill()) throw std::runtime_error("the answer is cut");
    }
    std::string taken = input_.substr(0, bytes);
    input_.erase(0, bytes);
    return taken;
}

std::string RawClient::take_line() {
    while (input_.find("\r\n") == std::string::npos) {
        if (!fill()) throw std::runtime_error("the answer is cut");
    }
    std::string line = take(input_.find("\r\n") + 2);
    line.resize(line.size() - 2);
    return line;
}

std::optional<RawAnswer> RawClient::read_answer(bool is_for_head) {
    while (input_.find("\r\n\r\n") == std::string::npos) {
        if (fill()) continue;
        if (input_.empty()) return std::nullopt;
        throw std::runtime_error("the answer's head is cut");
    }
    RawAnswer answer{.head = take(input_.find("\r\n\r\n") + 4)};
    answer.head.resize(answer.head.size() - 4);
    answer.status = std::stoi(answer.head.substr(9, 3));
    answer.headers = headers_of(answer.head);
    if (is_for_head || answer.status < 200 || answer.status == 204 || answer.status == 304) return answer;
    if (net::header(answer.headers, "transfer-encoding") == "chunked") {
        while (const std::size_t size = std::stoul(take_line(), nullptr, 16)) {
            answer.body += take(size);
            take_line();
        }
        take_line();
    } else if (const auto length = net::header(answer.headers, "content-length"); !length.empty()) {
        answer.body = take(std::stoul(std::string{length}));
    } else {
        answer.body = read_to_end();
    }
    return answer;
}

std::string RawClient::read(std::size_t most) {
    if (input_.empty()) fill();
    return take(std::min(most, input_.size()));
}

std::string RawClient::read_to_end() {
    while (fill()) {
    }
    return std::exchange(input_, {});
}

bool RawClient::is_closed_within(std::chrono::milliseconds span) {
    const auto end = std::chrono::steady_clock::now() + span;
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now()).count();
        pollfd ready{.fd = socket_, .events = POLLIN, .revents = 0};
        if (left <= 0 || ::poll(&ready, 1, static_cast<int>(left)) <= 0) return false;
        std::array<char, 65536> buffer{};
        if (::recv(socket_, buffer.data(), buffer.size(), 0) <= 0) return true;
    }
}

int status_of(RawClient& client) {
    client.send(get);
    const auto answer = client.read_answer();
    return answer ? answer->status : 0;
}

}  // namespace decant::test
