#include "api/jwt.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <rapidcheck.h>
#include <rapidcheck/gtest.h>
#include <vector>

#include "tests/support/jwt_token.hpp"

namespace decant::api {
namespace {

using test::jwt_header;
using test::jwt_secret;
using test::make_token;
using test::sign_parts;

constexpr std::int64_t now = 1'800'000'000;

/// By PyJWT 2.15.1 with this secret: kid in the header; sub customer-7, exp 2100-01-01, iat, nbf, scope "search chat",
/// aud ["decant", "shop"].
constexpr std::string_view pyjwt_token =
    "eyJhbGciOiJIUzI1NiIsImtpZCI6IjIwMjYtMTEiLCJ0eXAiOiJKV1QifQ."
    "eyJzdWIiOiJjdXN0b21lci03IiwiZXhwIjo0MTAyNDQ0ODAwLCJpYXQiOjE3MDAwMDAwMDAsIm5iZiI6MTcwMDAwMDAwMCwic2NvcGUiOiJzZWFyY2"
    "ggY2hhdCIsImF1ZCI6WyJkZWNhbnQiLCJzaG9wIl19.uFPXK87HST0adGIvn2dMaIafG21lLhGAqVJ6J32vErs";
/// By the same with the same claims less aud, iat and nbf: HS256, HS384 and none.
constexpr std::string_view pyjwt_plain =
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
    "eyJzdWIiOiJjdXN0b21lci03IiwiZXhwIjo0MTAyNDQ0ODAwLCJzY29wZSI6InNlYXJjaCBjaGF0In"
    "0.-IzmWhhnX6koETgg6Uoc0fsJ8jFg1CcCwBfOphjRekw";
constexpr std::string_view pyjwt_hs384 =
    "eyJhbGciOiJIUzM4NCIsInR5cCI6IkpXVCJ9."
    "eyJzdWIiOiJjdXN0b21lci03IiwiZXhwIjo0MTAyNDQ0ODAwLCJzY29wZSI6InNlYXJjaCBjaGF0In"
    "0.Dzspa4BN5ohgN0UjogQF0hiGZ75kNLXeBQFZJ5gpXiLXeEsXdoUrSe-9cDAK7bio";
constexpr std::string_view pyjwt_none =
    "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0."
    "eyJzdWIiOiJjdXN0b21lci03IiwiZXhwIjo0MTAyNDQ0ODAwLCJzY29wZSI6InNlYXJjaCBjaGF0In0"
    ".";

constexpr std::string_view good_claims = R"({"sub":"ana","exp":1800000600,"scope":"search"})";

JwtRules rules(std::string audience = "") {
    return {.secret = std::string{jwt_secret}, .audience = std::move(audience)};
}

/// "sub: scopes", "invalid" or "expired".
std::string told(std::string_view token, const JwtRules& by = rules()) {
    const auto checked = check_jwt(token, by, now);
    if (const TokenFault* fault = std::get_if<TokenFault>(&checked))
        return *fault == TokenFault::expired ? "expired" : "invalid";
    const auto& claims = std::get<JwtClaims>(checked);
    std::string text = claims.subject + ":";
    for (const std::string_view scope : scope_names.names) {
        if (scope != "open" && claims.scopes.has(*scope_names.find(scope))) text += fmt::format(" {}", scope);
    }
    return text;
}

std::string told_of(std::string_view claims) {
    return told(make_token(jwt_header, claims));
}

TEST(Jwt, IsTakenAsPyJwtMakesIt) {
    EXPECT_EQ(told(pyjwt_plain), "customer-7: search chat");
    EXPECT_EQ(told(pyjwt_token, rules("decant")), "customer-7: search chat");
    EXPECT_EQ(told(pyjwt_token, rules("shop")), "customer-7: search chat");
    EXPECT_EQ(told(pyjwt_token, rules("other")), "invalid");
    EXPECT_EQ(told(pyjwt_token, rules()), "invalid") << "it is meant for somebody";
    EXPECT_EQ(told(pyjwt_plain, rules("decant")), "invalid") << "it is meant for nobody";
}

TEST(Jwt, NamesItsAudienceAsATextOrAListOfTexts) {
    const auto with = [](std::string_view audience) {
        return told(make_token(jwt_header, fmt::format(R"({{"sub":"ana","exp":1800000600,"aud":{}}})", audience)),
                    rules("decant"));
    };
    EXPECT_EQ(with(R"("decant")"), "ana:");
    EXPECT_EQ(with(R"(["x","decant"])"), "ana:");
    for (const char* audience : {R"("Decant")", R"("decant x")", R"("")", "[]", R"(["x"])", R"(["decant",1])",
                                 R"([["decant"]])", R"({"decant":"decant"})", "null", "true"})
        EXPECT_EQ(with(audience), "invalid") << audience;
}

TEST(Jwt, NamesScopesAsWordsOrAList) {
    const auto with = [](std::string_view scope) {
        return told_of(fmt::format(R"({{"sub":"ana","exp":1800000600,"scope":{}}})", scope));
    };
    EXPECT_EQ(with(R"("search, chat,admin metrics")"), "ana: search chat admin metrics");
    EXPECT_EQ(with(R"(["embed","chat"])"), "ana: embed chat");
    EXPECT_EQ(with(R"("openid profile open SEARCH")"), "ana:") << "what is no scope gives none";
    EXPECT_EQ(with(R"("all")"), "ana:");
    EXPECT_EQ(with("[]"), "ana:");
    EXPECT_EQ(told_of(R"({"sub":"ana","exp":1800000600})"), "ana:");
}

TEST(Jwt, HoldsItsDatesWithAMinuteOfLeeway) {
    const auto with = [](std::string_view claim, std::int64_t date) {
        const bool is_expiry = claim == "exp";
        return told_of(
            fmt::format(R"({{"sub":"ana"{},"{}":{}}})", is_expiry ? "" : R"(,"exp":1800000600)", claim, date));
    };
    EXPECT_EQ(with("exp", now - 59), "ana:");
    EXPECT_EQ(with("exp", now - 60), "expired");
    EXPECT_EQ(with("exp", 1), "expired");
    EXPECT_EQ(with("nbf", now + 60), "ana:");
    EXPECT_EQ(with("nbf", now + 61), "invalid");
    EXPECT_EQ(with("iat", now + 60), "ana:");
    EXPECT_EQ(with("iat", now + 61), "invalid");
    EXPECT_EQ(told_of(R"({"sub":"ana","exp":1800000000.5})"), "ana:") << "a date may have a fraction";
}

TEST(Jwt, LooksAtNoKeyThatItsHeaderNames) {
    EXPECT_EQ(told(make_token(R"({"alg":"HS256","kid":"../../dev/null","jku":"http://127.0.0.1/","x5u":"http://x/",)"
                              R"("jwk":{"kty":"oct","k":"AAAA"}})",
                              good_claims)),
              "ana: search");
    EXPECT_EQ(told(make_token(R"({"alg":"HS256","typ":"at+JWT"})", good_claims)), "ana: search");
    EXPECT_EQ(told(make_token(R"({"alg":"HS256"})", good_claims)), "ana: search");
}

TEST(Jwt, SaysThatItIsExpiredOnlyWhenAllElseIsRight) {
    EXPECT_EQ(told(make_token(jwt_header, R"({"sub":"ana","exp":1})", "another secret, not the server's own")),
              "invalid");
    EXPECT_EQ(told_of(R"({"sub":"","exp":1})"), "invalid");
    EXPECT_EQ(told_of(R"({"sub":"ana","exp":1,"aud":"x"})"), "invalid");
}

struct Forged {
    std::string what;
    std::string token;
};

std::vector<Forged> wrong_by_header() {
    const auto with = [](std::string_view header) { return make_token(header, good_claims); };
    return {{"alg none, signed", with(R"({"alg":"none"})")},
            {"alg None", with(R"({"alg":"None"})")},
            {"alg nOnE", with(R"({"alg":"nOnE"})")},
            {"alg empty", with(R"({"alg":""})")},
            {"alg missing", with(R"({"typ":"JWT"})")},
            {"alg null", with(R"({"alg":null})")},
            {"alg a list", with(R"({"alg":["HS256"]})")},
            {"alg hs256", with(R"({"alg":"hs256"})")},
            {"alg with a NUL", with(R"({"alg":"HS256\u0000"})")},
            {"alg with a blank", with(R"({"alg":" HS256"})")},
            {"alg RS256 with the secret as HMAC key", with(R"({"alg":"RS256"})")},
            {"alg ES256", with(R"({"alg":"ES256"})")},
            {"alg PS256", with(R"({"alg":"PS256"})")},
            {"alg EdDSA", with(R"({"alg":"EdDSA"})")},
            {"alg HS384", with(R"({"alg":"HS384"})")},
            {"alg HS512", with(R"({"alg":"HS512"})")},
            {"alg dir", with(R"({"alg":"dir","enc":"A256GCM"})")},
            {"alg twice", with(R"({"alg":"none","alg":"HS256"})")},
            {"alg twice, one escaped", with(R"({"alg":"HS256","\u0061lg":"HS256"})")},
            {"crit", with(R"({"alg":"HS256","crit":["exp"]})")},
            {"crit empty", with(R"({"alg":"HS256","crit":[]})")},
            {"crit with b64", with(R"({"alg":"HS256","b64":false,"crit":["b64"]})")},
            {"a type for another use", with(R"({"alg":"HS256","typ":"logout+jwt"})")},
            {"a type that is no text", with(R"({"alg":"HS256","typ":1})")},
            {"header a list", with(R"(["alg","HS256"])")},
            {"header empty", with("")},
            {"header no JSON", with("alg=HS256")},
            {"header with something after it", with(R"({"alg":"HS256"}{})")},
            {"header with a comment", with(R"({"alg":"HS256"/* */})")},
            {"header with a NUL after it", with(std::string{R"({"alg":"HS256"})"} + '\0')},
            {"header not UTF-8", with("{\"alg\":\"HS256\",\"kid\":\"\xff\"}")}};
}

std::vector<Forged> wrong_by_claims() {
    const auto with = [](std::string_view claims) { return make_token(jwt_header, claims); };
    return {{"no exp", with(R"({"sub":"ana"})")},
            {"exp null", with(R"({"sub":"ana","exp":null})")},
            {"exp a text", with(R"({"sub":"ana","exp":"1800000600"})")},
            {"exp true", with(R"({"sub":"ana","exp":true})")},
            {"exp a list", with(R"({"sub":"ana","exp":[1800000600]})")},
            {"exp negative", with(R"({"sub":"ana","exp":-1})")},
            {"exp beyond the calendar", with(R"({"sub":"ana","exp":253402300801})")},
            {"exp over int64", with(R"({"sub":"ana","exp":18446744073709551615})")},
            {"exp beyond double", with(R"({"sub":"ana","exp":1e999})")},
            {"exp NaN", with(R"({"sub":"ana","exp":NaN})")},
            {"exp twice", with(R"({"sub":"ana","exp":1,"exp":1800000600})")},
            {"no sub", with(R"({"exp":1800000600})")},
            {"sub empty", with(R"({"sub":"","exp":1800000600})")},
            {"sub a number", with(R"({"sub":7,"exp":1800000600})")},
            {"sub a list", with(R"({"sub":["ana"],"exp":1800000600})")},
            {"sub with a NUL", with(R"({"sub":"ana\u0000root","exp":1800000600})")},
            {"sub with a newline", with(R"({"sub":"ana\nroot","exp":1800000600})")},
            {"sub with a DEL", with("{\"sub\":\"ana\x7f\",\"exp\":1800000600}")},
            {"sub too long", with(fmt::format(R"({{"sub":"{}","exp":1800000600}})", std::string(256, 'a')))},
            {"sub twice", with(R"({"sub":"root","exp":1800000600,"sub":"ana"})")},
            {"sub a lone surrogate", with(R"({"sub":"\ud800","exp":1800000600})")},
            {"nbf a text", with(R"({"sub":"ana","exp":1800000600,"nbf":"0"})")},
            {"nbf null", with(R"({"sub":"ana","exp":1800000600,"nbf":null})")},
            {"nbf to come", with(R"({"sub":"ana","exp":1800000600,"nbf":1800000300})")},
            {"iat to come", with(R"({"sub":"ana","exp":1800000600,"iat":1800000300})")},
            {"iat an object", with(R"({"sub":"ana","exp":1800000600,"iat":{}})")},
            {"aud of somebody", with(R"({"sub":"ana","exp":1800000600,"aud":"decant"})")},
            {"aud empty", with(R"({"sub":"ana","exp":1800000600,"aud":""})")},
            {"aud null", with(R"({"sub":"ana","exp":1800000600,"aud":null})")},
            {"scope a number", with(R"({"sub":"ana","exp":1800000600,"scope":1})")},
            {"scope an object", with(R"({"sub":"ana","exp":1800000600,"scope":{"admin":true}})")},
            {"scope a list of lists", with(R"({"sub":"ana","exp":1800000600,"scope":[["admin"]]})")},
            {"a name twice within", with(R"({"sub":"ana","exp":1800000600,"x":{"a":1,"a":2}})")},
            {"too deep", with(R"({"sub":"ana","exp":1800000600,"x":[[[[[[[[[]]]]]]]]]})")},
            {"payload a list", with(R"(["sub","ana"])")},
            {"payload a text", with(R"("ana")")},
            {"payload empty", with("")},
            {"payload with something after it", with(R"({"sub":"ana","exp":1800000600} x)")},
            {"payload another token", with(make_token(jwt_header, good_claims))}};
}

std::vector<Forged> wrong_by_form() {
    const std::string good = make_token(jwt_header, good_claims);
    const std::size_t first = good.find('.');
    const std::size_t second = good.rfind('.');
    const std::string parts = good.substr(0, second);
    const std::string header = good.substr(0, first);
    const std::string payload = good.substr(first + 1, second - first - 1);
    const std::string signature = good.substr(second + 1);
    std::string sloppy = signature;  // of its last character two bits say nothing
    sloppy.back() = sloppy.back() == 'Z' ? 'a' : static_cast<char>(sloppy.back() + 1);
    const std::string huge = fmt::format(R"({{"sub":"ana","exp":1800000600,"x":"{}"}})", std::string(7'000, 'x'));
    return {
        {"empty", ""},
        {"points", ".."},
        {"one part", header},
        {"two parts", parts},
        {"no signature", parts + "."},
        {"four parts", good + "."},
        {"five parts, as an encrypted one", good + ".AAAA.AAAA"},
        {"half of the signature", parts + "." + signature.substr(0, 22)},
        {"twice the signature", parts + "." + signature + signature},
        {"signature with padding", good + "="},
        {"signature with bits left over", parts + "." + sloppy},
        {"signature of another secret", make_token(jwt_header, good_claims, "another secret, not the server's own")},
        {"signature of an empty secret", make_token(jwt_header, good_claims, "")},
        {"signature of the payload alone", parts + sign_parts(payload).substr(payload.size())},
        {"signature in hex", parts + "." + hex(hmac_sha256(jwt_secret, parts))},
        {"signature of zeroes", parts + "." + std::string(43, 'A')},
        {"header with padding", sign_parts(base64url(R"({"alg":"HS256" })") + "=." + payload)},
        {"header in base64 with +", sign_parts(base64(R"({"alg":"HS256","k":">>>???"})") + "." + payload)},
        {"payload with a newline in it", sign_parts(header + "." + payload.substr(0, 8) + "\n" + payload.substr(8))},
        {"payload with a blank before it", sign_parts(header + ". " + payload)},
        {"payload not in base64url", sign_parts(header + "." + std::string{good_claims})},
        {"a NUL after it", good + '\0'},
        {"a newline after it", good + "\n"},
        {"Bearer before it", "Bearer " + good},
        {"over 8 KiB", make_token(jwt_header, huge)},
        {"another payload under the signature",
         header + "." + base64url(R"({"sub":"root","exp":1800000600,"scope":"admin"})") + "." + signature},
        {"another header over the signature", base64url(R"({"alg":"none"})") + "." + payload + "." + signature},
        {"made by PyJWT with HS384", std::string{pyjwt_hs384}},
        {"made by PyJWT with none", std::string{pyjwt_none}}};
}

TEST(Jwt, IsRefusedWhenItIsForged) {
    ASSERT_EQ(told(make_token(jwt_header, good_claims)), "ana: search") << "what the forged ones are made of is good";
    std::size_t count = 0;
    for (const auto& all : {wrong_by_header(), wrong_by_claims(), wrong_by_form()}) {
        for (const Forged& forged : all) {
            EXPECT_EQ(told(forged.token), "invalid") << forged.what;
            ++count;
        }
    }
    EXPECT_GE(count, 90U);
}

TEST(Jwt, IsTakenUpToItsGreatestSize) {
    std::string token;
    const auto of = [&](std::size_t length) {
        return make_token(jwt_header,
                          fmt::format(R"({{"sub":"ana","exp":1800000600,"x":"{}"}})", std::string(length, 'x')));
    };
    std::size_t length = 6'000;
    while ((token = of(length)).size() < most_jwt_bytes)
        ++length;
    const std::size_t over = token.size() - most_jwt_bytes;
    EXPECT_EQ(told(over == 0 ? token : of(length - 1)), "ana:");
    EXPECT_EQ(told(of(length + 2)), "invalid");
}

RC_GTEST_PROP(JwtProperty, IsRefusedWithAnyOtherCharacterAnywhere, ()) {
    std::string token{pyjwt_plain};
    const auto at = *rc::gen::inRange<std::size_t>(0, token.size());
    const auto other = *rc::gen::suchThat(rc::gen::arbitrary<char>(), [&](char c) { return c != token[at]; });
    token[at] = other;
    RC_ASSERT(told(token) == "invalid");
}

RC_GTEST_PROP(JwtProperty, IsRefusedWhenItIsCutOrLonger, ()) {
    const std::string token{pyjwt_plain};
    const auto length = *rc::gen::inRange<std::size_t>(0, token.size());
    RC_ASSERT(told(token.substr(0, length)) == "invalid");
    const auto more = *rc::gen::nonEmpty(rc::gen::arbitrary<std::string>());
    RC_ASSERT(told(token + more) == "invalid");
    RC_ASSERT(told(more + token) == "invalid");
}

}  // namespace
}  // namespace decant::api
