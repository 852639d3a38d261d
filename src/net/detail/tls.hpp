#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>

namespace decant::net {

using TlsContext = std::shared_ptr<SSL_CTX>;

/// For servers: TLS 1.2 and later, OpenSSL's defaults, PEM files. Throws Error{config_invalid} naming the file.
TlsContext make_tls_context(const std::string& certificate, const std::string& private_key);

}  // namespace decant::net
