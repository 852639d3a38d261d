#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace decant::net {

/// An http or https URL in its parts. User and password are kept apart so that nothing that is shown has them.
struct Url {
    std::string scheme;
    std::string host;      ///< an IPv6 address in its brackets
    std::string port;      ///< empty: the scheme's
    std::string path;      ///< without a slash at its end; empty: the root
    std::string user;      ///< decoded
    std::string password;  ///< decoded

    /// Scheme, host and port.
    std::string origin() const;
    /// Without user and password.
    std::string text() const;
    bool is_loopback() const noexcept;
};

/// Whether `text` is meant as a URL rather than a path: it starts with http:// or https://.
bool looks_like_url(std::string_view text) noexcept;

/// Throws Error{request_invalid}, which does not repeat the text because of the password in it. `what` names it.
Url parse_url(const std::string& text, std::string_view what);

/// `text` as one segment of a path or one value of a query.
std::string url_segment(std::string_view text);

/// `text` with the byte in the place of each %XX. What is no such escape stays.
std::string percent_decoded(std::string_view text);

}  // namespace decant::net
