#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "api/client_address.hpp"
#include "api/cors.hpp"
#include "api/jwt.hpp"
#include "api/rate_limiter.hpp"
#include "api/scope.hpp"
#include "net/http_server.hpp"
#include "store/api_keys.hpp"

namespace decant::api {

/// Who makes a call.
struct Principal {
    std::string name;     ///< "key:shop", "jwt:SUBJECT", "local" or "anonymous", for logs
    std::string subject;  ///< whose chat sessions these are: a token's `sub`; empty: the caller answers for its users
    ScopeSet scopes;
    std::string rate_key;  ///< whom limits count: the key, the subject, or the address

    bool has(Scope scope) const noexcept { return scopes.has(scope); }
    bool is_admin() const noexcept { return has(Scope::admin); }
};

/// Error{unauthenticated} or Error{forbidden} with the answer's WWW-Authenticate (RFC 6750).
class AccessDenied : public Error {
public:
    AccessDenied(ErrorCode code, std::string happened, std::string remedy, std::string challenge);
    /// Empty: that header is not sent, because no credentials would help.
    const std::string& challenge() const noexcept { return challenge_; }

private:
    std::string challenge_;
};

struct AccessSetup {
    std::string host = "127.0.0.1";  ///< what the server binds
    std::optional<JwtRules> jwt = {};
    std::vector<AddressRange> trusted_proxies = {};
    std::vector<std::string> allowed_hosts = {};  ///< in lower case
    Cors cors = {};
    std::string local_token = {};  ///< lets its bearer, of this machine, do everything; empty: there is none
    std::uint32_t failed_logins_a_minute = 60;  ///< of one address; 0: as many as they like
    std::function<std::chrono::system_clock::time_point()> now = [] { return std::chrono::system_clock::now(); };
};

/// JWT_*, DECANT_TRUSTED_PROXIES, DECANT_ALLOWED_HOSTS, DECANT_CORS_ORIGINS, DECANT_RATE_FAILED_LOGIN.
/// Throws Error{config_invalid}.
AccessSetup access_setup(const Settings& settings, std::string host);

/// Decides who may call. Credentials are bearer tokens in the header Authorization and nowhere else, so no page of
/// another site can make a browser send them. While no key was ever made and no JWT secret is set, and the server binds
/// a loopback address, callers of this machine are let in with every scope: those that come straight from it, under a
/// name of this server, and from no page of another origin (DNS rebinding, forged requests). Nobody else is.
/// Any thread, no I/O.
class Access {
public:
    /// All rows of the table, revoked ones too: a key that was revoked or has expired closes the server as well as a
    /// valid one. None: the database has not told yet, so nobody is let in without a token.
    using Keys = std::optional<std::vector<store::ApiKeyRow>>;

    /// Throws Error{config_invalid} when the host is no loopback address and there is neither a key nor a JWT secret.
    Access(AccessSetup setup, Keys keys);

    /// Once there was a key, this stays closed without one.
    void replace_keys(std::vector<store::ApiKeyRow> keys);
    /// Ids of the keys that were used since the last call, for ApiKeys::mark_used.
    std::vector<std::int64_t> take_used_keys();

    /// Throws AccessDenied, which tells of credentials no more than that they are missing, not valid or expired, and
    /// RateLimited for an address that sent too many that are not valid; valid ones are always taken. `open` looks at
    /// no credentials.
    Principal admit(const net::ServerRequest& request, Scope needed) const;
    bool is_open() const;

    /// Throws Error{forbidden} unless the request's Host is a loopback name, the address bound, or one of
    /// DECANT_ALLOWED_HOSTS. Where that is not set and credentials are needed, every Host is taken.
    void check_host(const net::ServerRequest& request) const;
    /// Throws Error{forbidden} for a request of a web page of another origin, unless CORS allows it or it is a link
    /// that was followed.
    void check_origin(const net::ServerRequest& request) const;
    /// Of the caller, by what proxies that are trusted say.
    std::string address_of(const net::ServerRequest& request) const;
    const Cors& cors() const noexcept { return setup_.cors; }

private:
    using KeyList = std::shared_ptr<const std::vector<store::ApiKeyRow>>;

    Principal admit_local(const net::ServerRequest& request) const;
    Principal admit_token(const std::string& token, const net::ServerRequest& request) const;
    Principal admit_key(const std::string& key) const;
    Principal admit_jwt(const std::string& token) const;
    std::string address_key(const net::ServerRequest& request) const;
    bool is_own_host(const std::string& name) const;
    std::int64_t now() const;

    AccessSetup setup_;
    bool is_local_ = false;  ///< the address bound
    mutable RateLimiter failures_;
    mutable std::mutex mutex_;  ///< of what follows
    KeyList keys_;              ///< null: not told yet
    bool had_keys_ = false;
    mutable std::set<std::int64_t> used_;
};

}  // namespace decant::api
