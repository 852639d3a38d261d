#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "api/scope.hpp"

namespace decant::api {

inline constexpr std::size_t least_jwt_secret = 32;  ///< bytes: RFC 7518, section 3.2
inline constexpr std::size_t most_jwt_bytes = 8 * 1024;
inline constexpr std::int64_t jwt_skew_seconds = 60;

struct JwtRules {
    std::string secret;
    std::string audience;  ///< that `aud` must name; empty: a token that has an `aud` is meant for others
};

struct JwtClaims {
    std::string subject;
    ScopeSet scopes;
};

enum class TokenFault { invalid, expired };

/// A JSON Web Token (RFC 7519, with the advice of RFC 8725) as a JWS in compact form, signed with HS256: no other
/// algorithm is known here, so none can be asked for. The signature is compared in constant time before anything of the
/// token is parsed, and its parts are canonical base64url of JSON that parse_strict_json takes. Of the header `alg`,
/// `typ` and `crit` (refused) are looked at; `kid`, `jwk`, `jku` and `x5u` lead nowhere. Claims: `sub` (1 to 255 bytes
/// without control characters) and `exp` are required; `nbf`, `iat` and `aud` hold where they are there; `scope` is a
/// list of words, with blanks or commas, or an array of them. Dates are taken with jwt_skew_seconds of leeway.
/// OpenSSL's HMAC signs; a library of tokens would bring algorithms that are not wanted and laxer parsers.
/// `now` is seconds since the epoch. Any thread.
std::variant<JwtClaims, TokenFault> check_jwt(std::string_view token, const JwtRules& rules, std::int64_t now);

}  // namespace decant::api
