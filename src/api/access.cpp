#include "api/access.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.hpp"
#include "core/split_list.hpp"
#include "core/utf8.hpp"

namespace decant::api {
namespace {

constexpr std::string_view realm = R"(Bearer realm="decant")";

AccessDenied missing(std::string happened) {
    return {ErrorCode::unauthenticated, std::move(happened),
            "Send `Authorization: Bearer KEY`; `decant key create` makes a key.", std::string{realm}};
}

AccessDenied invalid() {
    return {ErrorCode::unauthenticated, "The credentials are not valid", "Ask who runs this server for a key.",
            fmt::format(R"({}, error="invalid_token", error_description="The token is not valid")", realm)};
}

AccessDenied expired() {
    return {ErrorCode::unauthenticated, "The credentials have expired", "Ask who runs this server for new ones.",
            fmt::format(R"({}, error="invalid_token", error_description="The token has expired")", realm)};
}

AccessDenied insufficient(Scope needed) {
    const std::string_view scope = scope_names[needed];
    return {ErrorCode::forbidden, fmt::format("This needs the scope {}, which these credentials do not have", scope),
            fmt::format("Use a key with it, as `decant key create --name NAME --scope {}` makes.", scope),
            fmt::format(R"({}, error="insufficient_scope", scope="{}")", realm, scope)};
}

AccessDenied refused(std::string happened, std::string remedy) {
    return {ErrorCode::forbidden, std::move(happened), std::move(remedy), ""};
}

std::string shown(std::string_view text) {
    return printable(first_characters(text, 100));
}

bool has_header(const net::Headers& headers, std::string_view name) {
    return std::ranges::any_of(headers, [&](const auto& header) { return header.first == name; });
}

/// Throws AccessDenied: there is none.
std::string bearer_token(const net::ServerRequest& request) {
    if (!has_header(request.headers, "authorization")) throw missing("This call needs credentials");
    const std::string_view value = net::header(request.headers, "authorization");
    if (value.empty()) throw missing("The header Authorization is empty, or there is more than one");
    constexpr std::string_view scheme = "bearer ";
    const auto is_same = [](char left, char right) {
        return left == (right >= 'A' && right <= 'Z' ? right + 32 : right);
    };
    if (!std::ranges::equal(scheme, value.substr(0, scheme.size()), is_same))
        throw missing("The header Authorization has no bearer token");
    std::string_view token = value.substr(scheme.size());
    token.remove_prefix(std::min(token.find_first_not_of(' '), token.size()));
    return std::string{token};
}

bool is_host(std::string_view name) {
    return !name.empty() && name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.-_:") == name.npos;
}

/// So that two ways of writing an address are the same.
std::string canonical(std::string_view name) {
    const std::optional<Address> address = Address::parse(name);
    return address ? address->text() : host_name(name);
}

bool is_loopback_name(const std::string& name) {
    const std::optional<Address> address = Address::parse(name);
    return address ? address->is_loopback() : name == "localhost";
}

}  // namespace

AccessDenied::AccessDenied(ErrorCode code, std::string happened, std::string remedy, std::string challenge)
    : Error(code, std::move(happened), std::move(remedy)), challenge_(std::move(challenge)) {}

AccessSetup access_setup(const Settings& settings, std::string host) {
    AccessSetup setup{.host = std::move(host)};
    const std::optional<std::string> secret = settings.get("JWT_SECRET_KEY");
    if (secret && secret->size() < least_jwt_secret) {
        throw Error{ErrorCode::config_invalid, fmt::format("JWT_SECRET_KEY has fewer than {} bytes", least_jwt_secret),
                    "Make one with: openssl rand -base64 48"};
    }
    if (secret) setup.jwt = JwtRules{.secret = *secret, .audience = settings.get("JWT_AUDIENCE").value_or("")};
    setup.trusted_proxies = parse_ranges(settings.get("DECANT_TRUSTED_PROXIES").value_or(""), "DECANT_TRUSTED_PROXIES");
    const std::string hosts = settings.get("DECANT_ALLOWED_HOSTS").value_or("");
    for (const std::string_view text : split_list(hosts)) {
        setup.allowed_hosts.push_back(canonical(text));
        if (is_host(setup.allowed_hosts.back())) continue;
        throw Error{ErrorCode::config_invalid,
                    fmt::format("DECANT_ALLOWED_HOSTS has '{}', which is no name of a host", shown(text)),
                    "Name each as browsers do, without port, as in: search.example, 192.168.1.5."};
    }
    setup.cors = Cors{settings.get("DECANT_CORS_ORIGINS").value_or("")};
    setup.failed_logins_a_minute = rate_limits(settings)[RateClass::failed_login];
    return setup;
}

Access::Access(AccessSetup setup, Keys keys) : setup_(std::move(setup)), failures_({}) {
    RateLimits limits;
    limits[RateClass::failed_login] = setup_.failed_logins_a_minute;
    failures_.set_limits(limits);
    setup_.host = canonical(setup_.host);
    is_local_ = is_loopback_name(setup_.host);
    if (!is_local_ && !setup_.jwt && keys && keys->empty()) {
        throw Error{
            ErrorCode::config_invalid,
            fmt::format("The server may not listen on {}, which others reach, while there are no credentials to "
                        "ask for",
                        shown(setup_.host)),
            "Make a key with `decant key create --name NAME --scope all`, or set JWT_SECRET_KEY."};
    }
    if (keys) replace_keys(std::move(*keys));
}

void Access::replace_keys(std::vector<store::ApiKeyRow> keys) {
    auto list = std::make_shared<const std::vector<store::ApiKeyRow>>(std::move(keys));
    const std::scoped_lock lock{mutex_};
    had_keys_ = had_keys_ || !list->empty();
    keys_ = std::move(list);
}

std::vector<std::int64_t> Access::take_used_keys() {
    const std::scoped_lock lock{mutex_};
    std::vector<std::int64_t> ids{used_.begin(), used_.end()};
    used_.clear();
    return ids;
}

bool Access::is_open() const {
    if (!is_local_ || setup_.jwt) return false;
    const std::scoped_lock lock{mutex_};
    return keys_ != nullptr && !had_keys_;
}

Principal Access::admit(const net::ServerRequest& request, Scope needed) const {
    if (needed == Scope::open) {
        return {.name = "anonymous", .subject = {}, .scopes = {}, .rate_key = address_key(request)};
    }
    if (is_open()) return admit_local(request);
    const Principal caller = admit_token(bearer_token(request), request);
    if (!caller.has(needed)) throw insufficient(needed);
    return caller;
}

Principal Access::admit_local(const net::ServerRequest& request) const {
    if (!request.is_loopback || is_forwarded(request)) {
        throw missing(
            "While there is no key, only callers of the server's own machine are let in, and not through a proxy");
    }
    check_host(request);
    check_origin(request);
    return {.name = "local", .subject = {}, .scopes = ScopeSet::all(), .rate_key = address_key(request)};
}

Principal Access::admit_token(const std::string& token, const net::ServerRequest& request) const {
    const bool is_local = request.is_loopback && !is_forwarded(request);
    if (is_local && !setup_.local_token.empty() && is_same_secret(sha256(token), sha256(setup_.local_token)))
        return {.name = "local", .subject = {}, .scopes = ScopeSet::all(), .rate_key = address_key(request)};
    try {
        return token.starts_with(store::api_key_prefix) ? admit_key(token) : admit_jwt(token);
    } catch (const AccessDenied&) {
        const auto decision = failures_.take(RateClass::failed_login, address_key(request));
        if (!decision.allowed) throw RateLimited{RateClass::failed_login, decision};
        throw;
    }
}

Principal Access::admit_key(const std::string& key) const {
    const Digest digest = sha256(key);
    KeyList keys;
    {
        const std::scoped_lock lock{mutex_};
        keys = keys_;
    }
    const store::ApiKeyRow* found = nullptr;
    for (std::size_t i = 0; keys != nullptr && i < keys->size(); ++i) {
        if (is_same_secret((*keys)[i].key_hash, digest)) found = &(*keys)[i];
    }
    if (found == nullptr || found->revoked_at) throw invalid();
    if (found->expires_at && *found->expires_at <= now()) throw expired();
    {
        const std::scoped_lock lock{mutex_};
        used_.insert(found->id);
    }
    const std::string name = "key:" + found->name;
    return {.name = name, .subject = {}, .scopes = ScopeSet::of(found->scopes), .rate_key = name};
}

Principal Access::admit_jwt(const std::string& token) const {
    if (!setup_.jwt) throw invalid();
    const auto checked = check_jwt(token, *setup_.jwt, now());
    if (const TokenFault* fault = std::get_if<TokenFault>(&checked))
        throw *fault == TokenFault::expired ? expired() : invalid();
    const auto& claims = std::get<JwtClaims>(checked);
    const std::string name = "jwt:" + claims.subject;
    return {.name = name, .subject = claims.subject, .scopes = claims.scopes, .rate_key = name};
}

void Access::check_host(const net::ServerRequest& request) const {
    const std::string_view host = net::header(request.headers, "host");
    if (is_own_host(canonical(host)) || (setup_.allowed_hosts.empty() && !is_open())) return;
    throw refused(fmt::format("'{}' is no name of this server", shown(host)),
                  "Call it by localhost, or add the name to DECANT_ALLOWED_HOSTS.");
}

bool Access::is_own_host(const std::string& name) const {
    if (is_loopback_name(name)) return true;
    const bool is_bound = name == setup_.host && name != "0.0.0.0" && name != "::";
    return is_bound || std::ranges::find(setup_.allowed_hosts, name) != setup_.allowed_hosts.end();
}

void Access::check_origin(const net::ServerRequest& request) const {
    constexpr std::string_view remedy = "Add the page's origin to DECANT_CORS_ORIGINS.";
    if (!has_header(request.headers, "origin")) {
        // A page may send a GET without Origin; browsers tell then where it comes from. A link that was followed shows
        // its answer to the person, not to the page.
        const bool is_link = request.method == "GET" && net::header(request.headers, "sec-fetch-mode") == "navigate" &&
                             net::header(request.headers, "sec-fetch-dest") == "document";
        if (is_link || net::header(request.headers, "sec-fetch-site") != "cross-site") return;
        throw refused("The request was made by a page of another site", std::string{remedy});
    }
    const std::string_view origin = net::header(request.headers, "origin");
    const std::string_view host = net::header(request.headers, "host");
    const bool is_own =
        !host.empty() && (origin == fmt::format("http://{}", host) || origin == fmt::format("https://{}", host));
    if (is_own || setup_.cors.allows(origin)) return;
    throw refused(fmt::format("The request was made by a page of '{}'", shown(origin)), std::string{remedy});
}

std::string Access::address_of(const net::ServerRequest& request) const {
    return client_address(request, setup_.trusted_proxies);
}

std::string Access::address_key(const net::ServerRequest& request) const {
    const std::string text = address_of(request);
    const std::optional<Address> address = Address::parse(text);
    return "address:" + (address ? address->limit_key() : text);
}

std::int64_t Access::now() const {
    return std::chrono::floor<std::chrono::seconds>(setup_.now().time_since_epoch()).count();
}

}  // namespace decant::api
