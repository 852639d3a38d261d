#include "api/access.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <thread>

#include "core/error.hpp"
#include "tests/support/jwt_token.hpp"

namespace decant::api {
namespace {

using store::ApiKeyRow;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr std::int64_t now = 1'800'000'000;
const std::string shop_key = "dk_" + std::string(43, 's');
const std::string old_key = "dk_" + std::string(43, 'o');

ApiKeyRow row(std::int64_t id, const std::string& key, std::vector<std::string> scopes) {
    return {.id = id, .name = "k" + std::to_string(id), .key_hash = sha256(key), .scopes = std::move(scopes)};
}

AccessSetup setup_of(bool has_jwt = false) {
    AccessSetup setup;
    if (has_jwt) setup.jwt = JwtRules{.secret = std::string{test::jwt_secret}, .audience = ""};
    setup.now = [] { return std::chrono::system_clock::time_point{std::chrono::seconds{now}}; };
    return setup;
}

/// From the server's machine, by localhost.
net::ServerRequest local_request(net::Headers more = {}) {
    net::ServerRequest request{.peer = "127.0.0.1", .is_loopback = true};
    request.headers = {{"host", "localhost:8000"}};
    request.headers.insert(request.headers.end(), more.begin(), more.end());
    return request;
}

net::ServerRequest bearer(const std::string& token) {
    return local_request({{"authorization", "Bearer " + token}});
}

struct Refusal {
    std::optional<ErrorCode> code = {};
    std::string happened = {};
    std::string challenge = {};
};

Refusal refusal(const Access& access, const net::ServerRequest& request, Scope needed = Scope::search) {
    try {
        access.admit(request, needed);
        return {};
    } catch (const AccessDenied& denied) {
        return {.code = denied.code(), .happened = denied.happened(), .challenge = denied.challenge()};
    } catch (const RateLimited& limited) {
        return {.code = limited.code(), .happened = limited.happened()};
    }
}

TEST(Access, TakesAKeyForItsScopesAlone) {
    const Access access{setup_of(), std::vector{row(1, "dk_x", {"admin"}), row(2, shop_key, {"search", "chat"})}};
    const Principal shop = access.admit(bearer(shop_key), Scope::search);
    EXPECT_EQ(shop.name, "key:k2");
    EXPECT_EQ(shop.rate_key, "key:k2");
    EXPECT_EQ(shop.subject, "");
    EXPECT_FALSE(shop.is_admin());
    EXPECT_NO_THROW(access.admit(bearer(shop_key), Scope::chat));
    const Refusal admin = refusal(access, bearer(shop_key), Scope::admin);
    EXPECT_EQ(admin.code, ErrorCode::forbidden);
    EXPECT_THAT(admin.happened, HasSubstr("the scope admin"));
    EXPECT_EQ(admin.challenge, R"(Bearer realm="decant", error="insufficient_scope", scope="admin")");
    EXPECT_EQ(refusal(access, bearer("dk_x"), Scope::search).code, ErrorCode::forbidden) << "admin holds no other";
}

TEST(Access, TakesATokenForItsScopesAndItsSubject) {
    const Access access{setup_of(true), std::vector<ApiKeyRow>{}};
    const std::string token = test::make_token(test::jwt_header, R"({"sub":"ana","exp":1800000600,"scope":"chat"})");
    const Principal ana = access.admit(bearer(token), Scope::chat);
    EXPECT_EQ(ana.name, "jwt:ana");
    EXPECT_EQ(ana.subject, "ana");
    EXPECT_EQ(refusal(access, bearer(token), Scope::search).code, ErrorCode::forbidden);
    EXPECT_EQ(refusal(access, local_request()).code, ErrorCode::unauthenticated) << "a secret closes the server";
}

TEST(Access, SaysOfCredentialsOnlyThatTheyAreMissingNotValidOrExpired) {
    ApiKeyRow expired = row(1, old_key, {"search"});
    expired.expires_at = now;
    ApiKeyRow revoked = row(2, "dk_revoked", {"search"});
    revoked.revoked_at = now - 1;
    revoked.expires_at = now - 1;
    const Access access{setup_of(true), std::vector{expired, revoked}};

    const Refusal missing = refusal(access, local_request());
    EXPECT_EQ(missing.code, ErrorCode::unauthenticated);
    EXPECT_EQ(missing.challenge, R"(Bearer realm="decant")");

    const std::string of_expired = test::make_token(test::jwt_header, R"({"sub":"ana","exp":1,"scope":"search"})");
    for (const std::string& token : {old_key, of_expired})
        EXPECT_THAT(refusal(access, bearer(token)).challenge,
                    HasSubstr(R"(error="invalid_token", error_description="The token has expired")"));

    const Refusal unknown = refusal(access, bearer("dk_" + std::string(43, 'u')));
    EXPECT_EQ(unknown.code, ErrorCode::unauthenticated);
    EXPECT_THAT(unknown.challenge, HasSubstr(R"(error_description="The token is not valid")"));
    for (const std::string& token : {std::string{"dk_revoked"}, std::string{"dk_"}, std::string{"x"}, of_expired + "A"})
        EXPECT_EQ(refusal(access, bearer(token)).happened, unknown.happened) << token;
}

TEST(Access, TakesOneBearerTokenInTheHeaderAuthorizationAndNothingElse) {
    const Access access{setup_of(), std::vector{row(1, shop_key, {"search"})}};
    for (const std::string& value : {"Bearer " + shop_key, "bearer " + shop_key, "BEARER   " + shop_key})
        EXPECT_FALSE(refusal(access, local_request({{"authorization", value}})).code) << value;
    for (const std::string& value :
         {std::string{}, std::string{"Bearer"}, std::string{"Bearer "}, shop_key, "Basic " + shop_key,
          "Bearer\t" + shop_key, "Bearer " + shop_key + " x", "Bearer " + shop_key + ",", "Bearer \"" + shop_key + "\"",
          "Token " + shop_key, "Bearer Bearer " + shop_key, "Bearer " + shop_key + std::string{"\0", 1},
          "Bearer " + shop_key + "\n", " Bearer " + shop_key, std::string{"Bearer ===="}})
        EXPECT_EQ(refusal(access, local_request({{"authorization", value}})).code, ErrorCode::unauthenticated) << value;
    const std::string good = "Bearer " + shop_key;
    EXPECT_EQ(refusal(access, local_request({{"authorization", good}, {"authorization", good}})).code,
              ErrorCode::unauthenticated);
    for (const char* name : {"cookie", "x-api-key", "proxy-authorization", "x-authorization"})
        EXPECT_EQ(refusal(access, local_request({{name, good}})).code, ErrorCode::unauthenticated) << name;
    net::ServerRequest by_query = local_request();
    by_query.target = "/api/v1/chat/health?access_token=" + shop_key;
    EXPECT_EQ(refusal(access, by_query).code, ErrorCode::unauthenticated);
}

TEST(Access, LetsCallersOfThisMachineInWhileThereIsNothingToAskFor) {
    const Access access{setup_of(), std::vector<ApiKeyRow>{}};
    ASSERT_TRUE(access.is_open());
    for (const Scope scope : {Scope::search, Scope::embed, Scope::chat, Scope::admin, Scope::metrics})
        EXPECT_EQ(access.admit(local_request(), scope).name, "local");
    EXPECT_EQ(access.admit(bearer("sk-of-some-client"), Scope::embed).name, "local")
        << "clients that always send a key";
    net::ServerRequest away = local_request();
    away.peer = "192.168.1.7";
    away.is_loopback = false;
    EXPECT_EQ(refusal(access, away).code, ErrorCode::unauthenticated);
}

TEST(Access, NeverTakesAForwardedRequestForALocalOne) {
    AccessSetup setup = setup_of();
    setup.trusted_proxies = parse_ranges("127.0.0.1", "TRUSTED");
    const Access access{std::move(setup), std::vector<ApiKeyRow>{}};
    for (const char* name :
         {"x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "forwarded", "x-real-ip", "via"}) {
        for (const char* value : {"127.0.0.1", ""})
            EXPECT_EQ(refusal(access, local_request({{name, value}})).code, ErrorCode::unauthenticated) << name;
    }
}

TEST(Access, NeverTakesAPageOfAnotherOriginForALocalCaller) {
    AccessSetup setup = setup_of();
    setup.cors = Cors{"http://localhost:3000"};
    const Access access{std::move(setup), std::vector<ApiKeyRow>{}};
    for (const char* origin : {"https://evil.example", "null", "", "http://localhost:3001", "http://localhost",
                               "http://localhost:8000.evil.example"})
        EXPECT_EQ(refusal(access, local_request({{"origin", origin}})).code, ErrorCode::forbidden) << origin;
    EXPECT_EQ(refusal(access, local_request({{"sec-fetch-site", "cross-site"}})).code, ErrorCode::forbidden);
    EXPECT_EQ(
        refusal(access, local_request({{"origin", "http://localhost:3000"}, {"origin", "https://evil.example"}})).code,
        ErrorCode::forbidden);
    for (const char* origin : {"http://localhost:8000", "https://localhost:8000", "http://localhost:3000"})
        EXPECT_FALSE(refusal(access, local_request({{"origin", origin}})).code) << origin;
    net::ServerRequest link = local_request(
        {{"sec-fetch-site", "cross-site"}, {"sec-fetch-mode", "navigate"}, {"sec-fetch-dest", "document"}});
    link.method = "GET";
    EXPECT_FALSE(refusal(access, link).code) << "a link that was followed";
    link.method = "POST";
    EXPECT_EQ(refusal(access, link).code, ErrorCode::forbidden);
    link.method = "GET";
    link.headers.back().second = "iframe";
    EXPECT_EQ(refusal(access, link).code, ErrorCode::forbidden);
    for (const char* site : {"none", "same-origin"})
        EXPECT_FALSE(refusal(access, local_request({{"sec-fetch-site", site}})).code) << site;
}

net::ServerRequest by_host(std::string_view host) {
    net::ServerRequest request = local_request();
    request.headers = {{"host", std::string{host}}};
    return request;
}

bool knows_host(const Access& access, std::string_view host) {
    try {
        access.check_host(by_host(host));
        return true;
    } catch (const AccessDenied& denied) {
        EXPECT_EQ(denied.code(), ErrorCode::forbidden);
        EXPECT_EQ(denied.challenge(), "");
        return false;
    }
}

TEST(Access, IsCalledByItsOwnNamesAlone) {
    AccessSetup setup = setup_of();
    setup.allowed_hosts = {"search.example"};
    const Access access{std::move(setup), std::vector<ApiKeyRow>{}};
    for (const char* host : {"localhost", "LOCALHOST:8000", "127.0.0.1:8000", "127.8.8.8", "[::1]:8000",
                             "search.example", "Search.Example:443", "[::ffff:127.0.0.1]"})
        EXPECT_TRUE(knows_host(access, host)) << host;
    for (const char* host : {"", "evil.example", "localhost.evil.example", "evil.example:8000",
                             "localhost@evil.example", "x.search.example", "127.0.0.1.evil.example", "0.0.0.0", "[::]",
                             "192.168.1.5", "2130706433", "localhost:80:80", "localhost, evil.example"}) {
        EXPECT_FALSE(knows_host(access, host)) << host;
        EXPECT_EQ(refusal(access, by_host(host)).code, ErrorCode::forbidden) << host;
    }
    net::ServerRequest none = local_request();
    none.headers.clear();
    EXPECT_EQ(refusal(access, none).code, ErrorCode::forbidden);
}

TEST(Access, TakesAnyHostWhereCredentialsAreNeededUnlessNamesAreSet) {
    const std::vector keys{row(1, shop_key, {"search"})};
    EXPECT_TRUE(knows_host(Access{setup_of(), keys}, "search.example"));
    AccessSetup setup = setup_of();
    setup.host = "192.168.1.5";
    setup.allowed_hosts = {"search.example"};
    const Access access{setup, keys};
    EXPECT_TRUE(knows_host(access, "search.example"));
    EXPECT_TRUE(knows_host(access, "192.168.1.5:8000"));
    EXPECT_FALSE(knows_host(access, "evil.example"));
    setup.host = "0.0.0.0";
    EXPECT_FALSE(knows_host(Access{setup, keys}, "0.0.0.0:8000"));
}

TEST(Access, RefusesToListenWhereOthersReachItWithNothingToAskFor) {
    for (const char* host : {"0.0.0.0", "::", "192.168.1.5", "2001:db8::1", "search.example"}) {
        AccessSetup setup = setup_of();
        setup.host = host;
        try {
            const Access access{setup, std::vector<ApiKeyRow>{}};
            FAIL() << host;
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ErrorCode::config_invalid);
            EXPECT_THAT(error.remedy(), HasSubstr("decant key create"));
        }
        EXPECT_NO_THROW((Access{setup, std::vector{row(1, shop_key, {"search"})}})) << host;
        setup.jwt = setup_of(true).jwt;
        EXPECT_NO_THROW((Access{setup, std::vector<ApiKeyRow>{}})) << host;
    }
    for (const char* host : {"127.0.0.1", "::1", "[::1]", "localhost", "127.0.0.2", "LOCALHOST"}) {
        AccessSetup setup = setup_of();
        setup.host = host;
        EXPECT_TRUE((Access{setup, std::vector<ApiKeyRow>{}}.is_open())) << host;
    }
}

TEST(Access, StaysClosedUntilTheDatabaseHasToldThatThereIsNoKey) {
    Access access{setup_of(), std::nullopt};
    EXPECT_FALSE(access.is_open());
    EXPECT_EQ(refusal(access, local_request()).code, ErrorCode::unauthenticated);
    EXPECT_EQ(refusal(access, bearer(shop_key)).code, ErrorCode::unauthenticated);
    access.replace_keys({});
    EXPECT_TRUE(access.is_open());
    AccessSetup setup = setup_of();
    setup.host = "0.0.0.0";
    Access reachable{setup, std::nullopt};
    reachable.replace_keys({});
    EXPECT_FALSE(reachable.is_open());
    EXPECT_EQ(refusal(reachable, local_request()).code, ErrorCode::unauthenticated);
}

TEST(Access, StaysClosedWhenItsLastKeyIsRevokedOrGone) {
    Access access{setup_of(), std::vector{row(1, shop_key, {"search"})}};
    EXPECT_FALSE(refusal(access, bearer(shop_key)).code);
    ApiKeyRow revoked = row(1, shop_key, {"search"});
    revoked.revoked_at = now;
    for (const auto& keys : {std::vector{revoked}, std::vector<ApiKeyRow>{}}) {
        access.replace_keys(keys);
        EXPECT_FALSE(access.is_open());
        EXPECT_EQ(refusal(access, bearer(shop_key)).code, ErrorCode::unauthenticated);
        EXPECT_EQ(refusal(access, local_request()).code, ErrorCode::unauthenticated);
    }
}

TEST(Access, LetsEverybodyIntoWhatIsOpenWithoutLookingAtCredentials) {
    const Access access{setup_of(), std::vector{row(1, shop_key, {"search"})}};
    net::ServerRequest away = bearer("nonsense");
    away.peer = "2001:db8:1:2:3::4";
    away.is_loopback = false;
    const Principal anyone = access.admit(away, Scope::open);
    EXPECT_EQ(anyone.name, "anonymous");
    EXPECT_EQ(anyone.rate_key, "address:2001:db8:1:2::/64");
    EXPECT_FALSE(anyone.has(Scope::search));
}

TEST(Access, LimitsFailedAttemptsOfAnAddressAndNeverValidCredentials) {
    AccessSetup setup = setup_of();
    setup.failed_logins_a_minute = 3;
    setup.trusted_proxies = parse_ranges("10.0.0.0/8", "TRUSTED");
    const Access access{std::move(setup), std::vector{row(1, shop_key, {"search"})}};
    const auto from = [](std::string_view client, const std::string& token) {
        net::ServerRequest request = bearer(token);
        request.peer = "10.0.0.1";
        request.is_loopback = false;
        request.headers.emplace_back("x-forwarded-for", client);
        return request;
    };
    for (int i = 0; i < 3; ++i)
        EXPECT_EQ(refusal(access, from("1.1.1.1", "dk_guess")).code, ErrorCode::unauthenticated);
    EXPECT_EQ(refusal(access, from("1.1.1.1", "dk_guess")).code, ErrorCode::rate_limited);
    EXPECT_EQ(refusal(access, from("1.1.1.1", "a.b.c")).code, ErrorCode::rate_limited);
    EXPECT_EQ(refusal(access, from("2.2.2.2", "dk_guess")).code, ErrorCode::unauthenticated);
    EXPECT_FALSE(refusal(access, from("1.1.1.1", shop_key)).code);
}

TEST(Access, TakesItsLocalTokenForEverythingWhereThereIsOne) {
    AccessSetup setup = setup_of();
    setup.local_token = "dk_" + std::string(43, 'l');
    const Access access{setup, std::vector{row(1, shop_key, {"search"})}};
    EXPECT_EQ(access.admit(bearer(setup.local_token), Scope::admin).name, "local");
    EXPECT_EQ(refusal(access, bearer(setup.local_token + "l")).code, ErrorCode::unauthenticated);
    EXPECT_EQ(refusal(access, bearer("")).code, ErrorCode::unauthenticated);
    const Access without{setup_of(), std::vector{row(1, shop_key, {"search"})}};
    EXPECT_EQ(refusal(without, bearer(setup.local_token)).code, ErrorCode::unauthenticated);
}

TEST(Access, TellsOnceWhichKeysWereUsed) {
    Access access{setup_of(), std::vector{row(7, shop_key, {"search"}), row(8, old_key, {"search"})}};
    refusal(access, bearer(shop_key));
    refusal(access, bearer(shop_key));
    refusal(access, bearer("dk_unknown"));
    EXPECT_THAT(access.take_used_keys(), ElementsAre(7));
    EXPECT_THAT(access.take_used_keys(), IsEmpty());
}

TEST(Access, AdmitsWhileKeysAreReplaced) {
    const std::vector keys{row(1, shop_key, {"search"})};
    Access access{setup_of(), keys};
    std::thread other{[&] {
        for (int i = 0; i < 1'000; ++i)
            access.replace_keys(keys);
    }};
    for (int i = 0; i < 1'000; ++i)
        EXPECT_FALSE(refusal(access, bearer(shop_key)).code);
    other.join();
}

AccessSetup from_settings(const Settings::Variables& variables) {
    return access_setup(Settings::from({}, variables), "127.0.0.1");
}

std::string complaint(const std::string& key, const std::string& value) {
    try {
        from_settings({{key, value}});
        return "none";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::config_invalid);
        return error.happened();
    }
}

TEST(AccessSettings, AreRead) {
    const AccessSetup setup = from_settings({{"JWT_SECRET_KEY", std::string{test::jwt_secret}},
                                             {"JWT_AUDIENCE", "decant"},
                                             {"DECANT_TRUSTED_PROXIES", "10.0.0.0/8,::1"},
                                             {"DECANT_ALLOWED_HOSTS", "Search.Example, 192.168.1.5, fd00::0:1"},
                                             {"DECANT_CORS_ORIGINS", "https://shop.example"},
                                             {"DECANT_RATE_FAILED_LOGIN", "7"}});
    ASSERT_TRUE(setup.jwt);
    EXPECT_EQ(setup.jwt->audience, "decant");
    EXPECT_EQ(setup.trusted_proxies.size(), 2U);
    EXPECT_THAT(setup.allowed_hosts, ElementsAre("search.example", "192.168.1.5", "fd00::1"));
    EXPECT_TRUE(setup.cors.allows("https://shop.example"));
    EXPECT_EQ(setup.failed_logins_a_minute, 7U);
    EXPECT_FALSE(from_settings({}).jwt);
}

TEST(AccessSettings, AreRefusedWhereTheyWouldNotHoldWithoutShowingTheSecret) {
    const std::string weak = complaint("JWT_SECRET_KEY", "only 31 bytes of a secret, a few");
    EXPECT_EQ(weak, "none") << "32 bytes are enough";
    const std::string complained = complaint("JWT_SECRET_KEY", "only 31 bytes of a secret, few.");
    EXPECT_THAT(complained, HasSubstr("fewer than 32 bytes"));
    EXPECT_THAT(complained, Not(HasSubstr("only")));
    EXPECT_THAT(complaint("DECANT_TRUSTED_PROXIES", "proxy"), HasSubstr("DECANT_TRUSTED_PROXIES"));
    EXPECT_THAT(complaint("DECANT_CORS_ORIGINS", "*"), HasSubstr("DECANT_CORS_ORIGINS"));
    for (const char* host : {"*.example", "http://search.example", "a b", "search.example/x", "ñ.example"})
        EXPECT_THAT(complaint("DECANT_ALLOWED_HOSTS", host), HasSubstr("DECANT_ALLOWED_HOSTS")) << host;
}

TEST(AccessSettings, GiveTheLimitsOfEachClass) {
    const auto limits = [](const Settings::Variables& variables) { return rate_limits(Settings::from({}, variables)); };
    const RateLimits usual = limits({});
    EXPECT_EQ(usual[RateClass::none], 0U);
    EXPECT_EQ(usual[RateClass::search], 600U);
    EXPECT_EQ(usual[RateClass::embedding], 60U);
    EXPECT_EQ(usual[RateClass::batch], 5U);
    EXPECT_EQ(usual[RateClass::monitoring], 600U);
    EXPECT_EQ(usual[RateClass::chat], 60U);
    EXPECT_EQ(limits({{"DECANT_RATE_CHAT", "0"}})[RateClass::chat], 0U);
}

TEST(Scopes, DoNotHoldEachOtherAndOpenIsNeverGiven) {
    const ScopeSet admin = ScopeSet::of(std::vector<std::string>{"admin", "open", "root"});
    for (const Scope scope : {Scope::search, Scope::embed, Scope::chat, Scope::metrics})
        EXPECT_FALSE(admin.has(scope));
    EXPECT_TRUE(admin.has(Scope::admin));
    EXPECT_TRUE(ScopeSet{}.has(Scope::open));
    EXPECT_TRUE(ScopeSet::of(std::vector<std::string>{"open"}).empty());
}

}  // namespace
}  // namespace decant::api
