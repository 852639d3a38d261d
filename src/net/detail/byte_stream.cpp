#include "net/detail/byte_stream.hpp"

#include <openssl/err.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <new>
#include <utility>

namespace decant::net {
namespace {

constexpr std::size_t most_tls_bytes = 1024 * 1024;  // of one call, whose sizes are of type int

bool would_block() noexcept {
    return errno == EAGAIN || errno == EINTR;
}

}  // namespace

ByteStream::ByteStream(int socket, TlsContext context) : socket_(socket), context_(std::move(context)) {}

ByteStream::Result ByteStream::read(std::span<char> into) {
    if (context_ && !tls_) {
        char first = 0;
        const ssize_t got = ::recv(socket_, &first, 1, MSG_PEEK);
        if (got == 0) return {Outcome::ended};
        if (got < 0) return {would_block() ? Outcome::waits_to_read : Outcome::failed};
        tls_.reset(SSL_new(context_.get()));
        if (!tls_ || SSL_set_fd(tls_.get(), socket_) != 1) throw std::bad_alloc{};
        SSL_set_accept_state(tls_.get());
    }
    if (tls_) {
        ERR_clear_error();
        return outcome_of(SSL_read(tls_.get(), into.data(), static_cast<int>(into.size())));
    }
    const ssize_t got = ::recv(socket_, into.data(), into.size(), 0);
    if (got > 0) return {Outcome::moved, static_cast<std::size_t>(got)};
    if (got == 0) return {Outcome::ended};
    return {would_block() ? Outcome::waits_to_read : Outcome::failed};
}

ByteStream::Result ByteStream::write(std::string_view bytes) {
    if (tls_) {
        ERR_clear_error();
        return outcome_of(
            SSL_write(tls_.get(), bytes.data(), static_cast<int>(std::min(bytes.size(), most_tls_bytes))));
    }
    if (context_) return {Outcome::failed};
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) return {Outcome::moved, static_cast<std::size_t>(sent)};
    return {would_block() ? Outcome::waits_to_write : Outcome::failed};
}

void ByteStream::finish() {
    if (tls_ && SSL_is_init_finished(tls_.get()) == 1) {
        ERR_clear_error();
        SSL_shutdown(tls_.get());
    }
    ::shutdown(socket_, SHUT_WR);
}

ByteStream::Result ByteStream::outcome_of(int done) {
    if (done > 0) return {Outcome::moved, static_cast<std::size_t>(done)};
    switch (SSL_get_error(tls_.get(), done)) {
        case SSL_ERROR_WANT_READ:
            return {Outcome::waits_to_read};
        case SSL_ERROR_WANT_WRITE:
            return {Outcome::waits_to_write};
        case SSL_ERROR_ZERO_RETURN:
            return {Outcome::ended};
        default:
            return {Outcome::failed};
    }
}

}  // namespace decant::net
