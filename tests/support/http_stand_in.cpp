#include "tests/support/http_stand_in.hpp"

#include <fmt/format.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <csignal>
#include <stdexcept>
#include <utility>

#include "core/child_process.hpp"

namespace decant::test {

struct HttpStandIn::Tls {
    std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context{SSL_CTX_new(TLS_server_method()), SSL_CTX_free};
};

/// One connection, plain or TLS.
class HttpStandIn::Peer {
public:
    Peer(int fd, SSL_CTX* context, const std::atomic<bool>& is_closing) : fd_(fd), is_closing_(is_closing) {
        if (context == nullptr) return;
        ssl_.reset(SSL_new(context));
        SSL_set_fd(ssl_.get(), fd);
        is_open_ = SSL_accept(ssl_.get()) == 1;
    }
    Peer(const Peer&) = delete;
    Peer& operator=(const Peer&) = delete;
    ~Peer() { ::close(fd_); }

    bool is_open() const noexcept { return is_open_; }

    /// False at the connection's end.
    bool receive(std::string& bytes) {
        while (!is_closing_) {
            pollfd ready{.fd = fd_, .events = POLLIN, .revents = 0};
            if ((!ssl_ || SSL_pending(ssl_.get()) == 0) && ::poll(&ready, 1, 20) <= 0) continue;
            std::array<char, 65536> buffer{};
            const ssize_t got = ssl_ ? SSL_read(ssl_.get(), buffer.data(), static_cast<int>(buffer.size()))
                                     : ::recv(fd_, buffer.data(), buffer.size(), 0);
            if (got > 0) bytes.append(buffer.data(), static_cast<std::size_t>(got));
            return got > 0;
        }
        return false;
    }

    bool send(std::string_view bytes) {
        while (!bytes.empty()) {
            const ssize_t sent = ssl_ ? SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()))
                                      : ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent <= 0) return false;
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
        return true;
    }

private:
    int fd_;
    const std::atomic<bool>& is_closing_;
    std::unique_ptr<SSL, void (*)(SSL*)> ssl_{nullptr, SSL_free};
    bool is_open_ = true;
};

namespace {

/// Takes a whole request off `bytes`; none while some of it is still to come.
std::optional<StandInRequest> take_request(std::string& bytes) {
    const std::size_t head_end = bytes.find("\r\n\r\n");
    if (head_end == std::string::npos) return std::nullopt;
    StandInRequest request;
    const std::string head = bytes.substr(0, head_end + 2);
    const std::size_t line_end = head.find("\r\n");
    const std::size_t space = head.find(' ');
    request.method = head.substr(0, space);
    request.target = head.substr(space + 1, head.find(' ', space + 1) - space - 1);
    for (std::size_t at = line_end + 2; at < head.size();) {
        const std::size_t end = head.find("\r\n", at);
        const std::size_t colon = head.find(':', at);
        std::string name = head.substr(at, colon - at);
        std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
        request.headers[name] = head.substr(colon + 2, end - colon - 2);
        at = end + 2;
    }
    const auto length = request.headers.find("content-length");
    const std::size_t body_bytes = length == request.headers.end() ? 0 : std::stoul(length->second);
    if (bytes.size() < head_end + 4 + body_bytes) return std::nullopt;
    request.body = bytes.substr(head_end + 4, body_bytes);
    bytes.erase(0, head_end + 4 + body_bytes);
    return request;
}

}  // namespace

HttpStandIn::HttpStandIn(Script script, const std::filesystem::path& certificate, int port)
    : script_(std::move(script)) {
    std::signal(SIGPIPE, SIG_IGN);  // SSL_write has no MSG_NOSIGNAL
    if (!certificate.empty()) {
        tls_ = std::make_unique<Tls>();
        SSL_CTX_use_certificate_chain_file(tls_->context.get(), (certificate / "cert.pem").c_str());
        SSL_CTX_use_PrivateKey_file(tls_->context.get(), (certificate / "key.pem").c_str(), SSL_FILETYPE_PEM);
    }
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    const int yes = 1;
    ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_, generic, size) != 0 || ::listen(listener_, 64) != 0 ||
        ::getsockname(listener_, generic, &size) != 0) {
        throw std::runtime_error("the stand-in cannot listen on 127.0.0.1");
    }
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread{[this] { accept_all(); }};
}

HttpStandIn::~HttpStandIn() {
    is_closing_ = true;
    acceptor_.join();
    for (std::thread& thread : threads_)
        thread.join();
    ::close(listener_);
}

std::string HttpStandIn::url() const {
    return fmt::format("{}://127.0.0.1:{}", tls_ ? "https" : "http", port_);
}

std::vector<StandInRequest> HttpStandIn::requests() const {
    const std::lock_guard lock{mutex_};
    return requests_;
}

void HttpStandIn::accept_all() {
    while (!is_closing_) {
        pollfd ready{.fd = listener_, .events = POLLIN, .revents = 0};
        if (::poll(&ready, 1, 20) <= 0) continue;
        const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (fd < 0) continue;
        ++connections_;
        threads_.emplace_back([this, fd] { serve(fd); });
    }
}

void HttpStandIn::serve(int fd) {
    Peer peer{fd, tls_ ? tls_->context.get() : nullptr, is_closing_};
    if (peer.is_open()) serve_requests(peer);
}

void HttpStandIn::serve_requests(Peer& peer) {
    for (std::string bytes; peer.receive(bytes);) {
        while (const auto request = take_request(bytes)) {
            {
                const std::lock_guard lock{mutex_};
                requests_.push_back(*request);
            }
            if (!answer(peer, script_(*request))) return;
        }
    }
}

bool HttpStandIn::answer(Peer& peer, const StandInAnswer& answer) const {
    std::string ignored;
    if (answer.is_withheld && !answer.cut_after && answer.chunks.empty()) return peer.receive(ignored);
    std::string head = fmt::format("HTTP/1.1 {} Scripted\r\n", answer.status);
    for (const std::string& header : answer.headers)
        head += header + "\r\n";
    if (!answer.chunks.empty()) {
        if (!peer.send(head + "Transfer-Encoding: chunked\r\n\r\n")) return false;
        for (const std::string& chunk : answer.chunks) {
            std::this_thread::sleep_for(answer.chunk_pause);
            if (!peer.send(fmt::format("{:x}\r\n{}\r\n", chunk.size(), chunk))) return false;
        }
        if (answer.is_withheld) return peer.receive(ignored);
        return !answer.cut_after && peer.send("0\r\n\r\n");
    }
    const std::string body = answer.body.substr(0, answer.cut_after.value_or(answer.body.size()));
    const bool is_sent = peer.send(fmt::format("{}Content-Length: {}\r\n\r\n{}", head, answer.body.size(), body));
    if (is_sent && answer.is_withheld) return peer.receive(ignored);
    return is_sent && !answer.cut_after;
}

void make_certificate(const std::filesystem::path& folder) {
    const ProgramResult made =
        run_program({.argv = {"/usr/bin/openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                              "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-out",
                              (folder / "cert.pem").string(), "-keyout", (folder / "key.pem").string()}});
    if (made.exit_code != 0) throw std::runtime_error("openssl made no certificate: " + made.output);
}

}  // namespace decant::test
