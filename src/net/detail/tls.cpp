#include "net/detail/tls.hpp"

#include <fmt/format.h>
#include <openssl/err.h>

#include "core/error.hpp"

namespace decant::net {
namespace {

Error tls_error(const std::string& happened, const std::string& remedy) {
    const char* reason = ERR_reason_error_string(ERR_peek_error());
    ERR_clear_error();
    return {ErrorCode::config_invalid, reason == nullptr ? happened : fmt::format("{}: {}", happened, reason), remedy};
}

/// In the place of OpenSSL's, which asks on the terminal.
int refuse_password(char*, int, int, void*) {
    return -1;
}

}  // namespace

TlsContext make_tls_context(const std::string& certificate, const std::string& private_key) {
    if (certificate.empty() || private_key.empty()) {
        throw Error{ErrorCode::config_invalid,
                    "TLS needs a certificate and its private key, and only one of the two is set",
                    "Set both, or none."};
    }
    ERR_clear_error();
    const TlsContext context{SSL_CTX_new(TLS_server_method()), SSL_CTX_free};
    if (!context) throw std::bad_alloc{};
    SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
    SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(context.get(),
                     SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);  // tickets do it without memory
    SSL_CTX_set_default_passwd_cb(context.get(), refuse_password);
    if (SSL_CTX_use_certificate_chain_file(context.get(), certificate.c_str()) != 1) {
        throw tls_error(fmt::format("The TLS certificate {} cannot be used", certificate),
                        "Name a PEM file with the certificate and its chain that decant may read.");
    }
    if (SSL_CTX_use_PrivateKey_file(context.get(), private_key.c_str(), SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(context.get()) != 1) {
        throw tls_error(fmt::format("The TLS key {} cannot be used with the certificate {}", private_key, certificate),
                        "Name the PEM file of the certificate's own key, without a password, that decant may read.");
    }
    return context;
}

}  // namespace decant::net
