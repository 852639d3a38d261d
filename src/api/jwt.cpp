#include "api/jwt.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <vector>

#include "core/base64.hpp"
#include "core/error.hpp"
#include "core/sha256.hpp"
#include "core/split_list.hpp"
#include "core/strict_json.hpp"

namespace decant::api {
namespace {

constexpr JsonLimits limits{.depth = 8, .members = 100};
constexpr std::size_t most_subject_bytes = 255;
constexpr double end_of_time = 253'402'300'800;  // of the year 9999

struct Parts {
    std::string_view header;
    std::string_view payload;
    std::string_view signed_text;
    std::string_view signature;
};

std::optional<Parts> split(std::string_view token) {
    const std::size_t first = token.find('.');
    if (first == std::string_view::npos) return std::nullopt;
    const std::size_t second = token.find('.', first + 1);
    if (second == std::string_view::npos) return std::nullopt;
    return Parts{.header = token.substr(0, first),
                 .payload = token.substr(first + 1, second - first - 1),
                 .signed_text = token.substr(0, second),
                 .signature = token.substr(second + 1)};
}

bool is_signed(const Parts& parts, const std::string& secret) {
    const std::optional<std::string> bytes = decode_base64url(parts.signature);
    Digest given{};
    if (!bytes || bytes->size() != given.size()) return false;
    std::memcpy(given.data(), bytes->data(), given.size());
    return is_same_secret(given, hmac_sha256(secret, parts.signed_text));
}

std::optional<json::object> parse_part(std::string_view part) {
    const std::optional<std::string> text = decode_base64url(part);
    if (!text) return std::nullopt;
    try {
        json::value value = parse_strict_json(*text, limits);
        if (json::object* object = value.if_object()) return std::move(*object);
    } catch (const Error&) {  // what is wrong with a token is not told
        return std::nullopt;
    }
    return std::nullopt;
}

std::optional<std::string_view> text_of(const json::value* value) {
    if (value == nullptr || !value->is_string()) return std::nullopt;
    const json::string& text = value->get_string();
    return std::string_view{text.data(), text.size()};
}

bool is_header_ours(const json::object& header) {
    if (text_of(header.if_contains("alg")) != "HS256" || header.contains("crit")) return false;
    const json::value* type = header.if_contains("typ");
    if (type == nullptr) return true;
    const std::optional<std::string_view> name = text_of(type);
    // RFC 9068's access tokens; a token for another use may have been signed with the same secret.
    constexpr std::array<std::string_view, 3> ours{"jwt", "at+jwt", "application/at+jwt"};
    const auto is_same = [](char left, char right) {
        return left == (right >= 'A' && right <= 'Z' ? right + 32 : right);
    };
    return name &&
           std::ranges::any_of(ours, [&](std::string_view our) { return std::ranges::equal(our, *name, is_same); });
}

/// Seconds since the epoch. None where it is no date.
std::optional<double> date_of(const json::value& value) {
    double seconds = -1;
    if (value.is_int64())
        seconds = static_cast<double>(value.get_int64());
    else if (value.is_double())
        seconds = value.get_double();
    return seconds >= 0 && seconds < end_of_time ? std::optional{seconds} : std::nullopt;
}

/// Whether it is not there, or a date that has come.
bool has_come(const json::value* value, double now) {
    if (value == nullptr) return true;
    const std::optional<double> date = date_of(*value);
    return date && *date <= now + double{jwt_skew_seconds};
}

bool is_for(const json::value* audience, const std::string& us) {
    if (us.empty() || audience == nullptr) return us.empty() && audience == nullptr;
    if (const json::array* all = audience->if_array()) {
        return std::ranges::all_of(*all, &json::value::is_string) &&
               std::ranges::any_of(*all, [&](const json::value& one) { return text_of(&one) == us; });
    }
    return text_of(audience) == us;
}

bool is_subject(std::string_view subject) {
    return !subject.empty() && subject.size() <= most_subject_bytes &&
           std::ranges::none_of(subject, [](char c) { return static_cast<unsigned char>(c) < 32 || c == 127; });
}

std::optional<ScopeSet> scopes_of(const json::value* scope) {
    if (scope == nullptr) return ScopeSet{};
    if (const auto text = text_of(scope)) return ScopeSet::of(split_list(*text, " ,"));
    const json::array* list = scope->if_array();
    if (list == nullptr || !std::ranges::all_of(*list, &json::value::is_string)) return std::nullopt;
    std::vector<std::string_view> names;
    for (const json::value& name : *list)
        names.push_back(*text_of(&name));
    return ScopeSet::of(names);
}

std::variant<JwtClaims, TokenFault> check_claims(const json::object& claims, const JwtRules& rules, double now) {
    const auto subject = text_of(claims.if_contains("sub"));
    const auto scopes = scopes_of(claims.if_contains("scope"));
    const json::value* expiry = claims.if_contains("exp");
    const std::optional<double> expires = expiry == nullptr ? std::nullopt : date_of(*expiry);
    if (!subject || !is_subject(*subject) || !scopes || !expires) return TokenFault::invalid;
    if (!has_come(claims.if_contains("nbf"), now) || !has_come(claims.if_contains("iat"), now))
        return TokenFault::invalid;
    if (!is_for(claims.if_contains("aud"), rules.audience)) return TokenFault::invalid;
    if (now >= *expires + double{jwt_skew_seconds}) return TokenFault::expired;
    return JwtClaims{.subject = std::string{*subject}, .scopes = *scopes};
}

}  // namespace

std::variant<JwtClaims, TokenFault> check_jwt(std::string_view token, const JwtRules& rules, std::int64_t now) {
    if (token.size() > most_jwt_bytes) return TokenFault::invalid;
    const std::optional<Parts> parts = split(token);
    if (!parts || !is_signed(*parts, rules.secret)) return TokenFault::invalid;
    const std::optional<json::object> header = parse_part(parts->header);
    if (!header || !is_header_ours(*header)) return TokenFault::invalid;
    const std::optional<json::object> claims = parse_part(parts->payload);
    if (!claims) return TokenFault::invalid;
    return check_claims(*claims, rules, static_cast<double>(now));
}

}  // namespace decant::api
