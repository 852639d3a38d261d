#pragma once

#include <string>
#include <string_view>

#include "core/base64.hpp"
#include "core/sha256.hpp"

namespace decant::test {

inline constexpr std::string_view jwt_secret = "a secret of the tests, 36 bytes long";
inline constexpr std::string_view jwt_header = R"({"alg":"HS256","typ":"JWT"})";

inline std::string text_of(const Digest& digest) {
    return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

/// The two parts, as they are, with a signature that is right for them.
inline std::string sign_parts(const std::string& parts, std::string_view secret = jwt_secret) {
    return parts + "." + base64url(text_of(hmac_sha256(secret, parts)));
}

/// A token of any header and payload with a signature that is right for them.
inline std::string make_token(std::string_view header, std::string_view payload, std::string_view secret = jwt_secret) {
    return sign_parts(base64url(header) + "." + base64url(payload), secret);
}

}  // namespace decant::test
