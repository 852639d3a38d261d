#pragma once

#include <openssl/ssl.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "net/detail/tls.hpp"

namespace decant::net {

/// A connected socket that does not block, with or without TLS. No buffers of its own, so that a connection that waits
/// costs little; the TLS state is made when its first byte is there. The socket is the owner's.
class ByteStream {
public:
    enum class Outcome {
        moved,
        waits_to_read,   ///< until the socket can be read
        waits_to_write,  ///< until it can be written
        ended,           ///< the peer sends no more
        failed,          ///< it is of no more use
    };

    struct Result {
        Outcome outcome;
        std::size_t bytes = 0;
    };

    /// Without a context: plain.
    ByteStream(int socket, TlsContext context);

    Result read(std::span<char> into);
    Result write(std::string_view bytes);
    /// Tells the peer that no more comes.
    void finish();

private:
    Result outcome_of(int done);

    int socket_;
    TlsContext context_;
    std::unique_ptr<SSL, void (*)(SSL*)> tls_{nullptr, SSL_free};
};

}  // namespace decant::net
