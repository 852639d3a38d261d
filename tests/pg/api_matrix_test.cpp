// Every route with every kind of credentials, made from the table of routes itself: who is let in, and that what is
// answered has the shape that the route declares.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "store/api_keys.hpp"
#include "tests/support/api_case.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/jwt_token.hpp"
#include "tests/support/route_call.hpp"

namespace decant::api {
namespace {

using test::body_of;

const Settings::Variables unlimited{{"DECANT_RATE_SEARCH", "0"}, {"DECANT_RATE_EMBEDDING", "0"},
                                    {"DECANT_RATE_BATCH", "0"},  {"DECANT_RATE_MONITORING", "0"},
                                    {"DECANT_RATE_CHAT", "0"},   {"DECANT_RATE_FAILED_LOGIN", "0"},
                                    {"DECANT_LLM", "none"}};

Settings::Variables with_tokens() {
    Settings::Variables variables = unlimited;
    variables["JWT_SECRET_KEY"] = std::string{test::jwt_secret};
    return variables;
}

std::string token(std::string_view subject, std::string_view scopes, std::int64_t seconds) {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const auto expires = std::chrono::duration_cast<std::chrono::seconds>(now).count() + seconds;
    return test::make_token(test::jwt_header,
                            fmt::format(R"({{"sub":"{}","scope":"{}","exp":{}}})", subject, scopes, expires));
}

/// Credentials, and the scopes that they are good for; none: they are good for nothing.
struct Credentials {
    std::string name;
    std::string value;
    std::optional<ScopeSet> scopes = std::nullopt;
};

std::uint16_t port_of(test::ApiCase& with) {
    return static_cast<std::uint16_t>(std::stoul(net::parse_url(with.server().url(), "URL").port));
}

std::vector<std::string> headers_of(const Credentials& credentials) {
    if (credentials.value.empty()) return {};
    return {"Authorization: " + credentials.value};
}

/// The table of routes is read from the document that the server makes of it.
class ApiMatrix : public testing::Test {
protected:
    static void SetUpTestSuite() {
        with_ = new test::ApiCase{with_tokens()};
        document_ = new json::object{body_of(with_->get("/openapi.json"))};
    }
    static void TearDownTestSuite() {
        delete with_;
        delete document_;
    }

    static std::vector<Credentials> all_credentials() {
        pg::Connection db = with_->catalog().open();
        store::ApiKeys keys{db};
        std::vector<Credentials> all{{.name = "none", .value = ""},
                                     {.name = "unknown key", .value = "Bearer dk_" + std::string(43, 'a')},
                                     {.name = "garbage", .value = "Bearer x.y.z"},
                                     {.name = "other scheme", .value = "Basic YTpi"},
                                     {.name = "empty", .value = "Bearer "}};
        const std::string every = "search,embed,chat,admin,metrics";
        for (const std::string_view scope : scope_names.names) {
            if (scope == "open") continue;
            const std::vector<std::string> one{std::string{scope}};
            all.push_back({.name = fmt::format("key of {}", scope),
                           .value = "Bearer " + keys.create({.name = std::string{scope}, .scopes = one}).key,
                           .scopes = ScopeSet::of(one)});
            all.push_back({.name = fmt::format("token of {}", scope),
                           .value = "Bearer " + token("ana", scope, 600),
                           .scopes = ScopeSet::of(one)});
        }
        const std::vector<std::string> names{"search", "embed", "chat", "admin", "metrics"};
        all.push_back({.name = "key of all",
                       .value = "Bearer " + keys.create({.name = "all", .scopes = names}).key,
                       .scopes = ScopeSet::all()});
        all.push_back({.name = "revoked", .value = "Bearer " + keys.create({.name = "gone", .scopes = names}).key});
        keys.revoke("gone");
        all.push_back(
            {.name = "expired", .value = "Bearer " + keys.create({.name = "old", .scopes = names, .days = 1}).key});
        db.exec("UPDATE decant.api_keys SET expires_at = now() - interval '1 second' WHERE name = 'old'");
        all.push_back({.name = "expired token", .value = "Bearer " + token("ana", every, -600)});
        with_->server().reload();  // looks at the keys soon
        const auto is_last = [](const Credentials& one) { return one.name == "key of all"; };
        const std::vector<std::string> headers = headers_of(*std::ranges::find_if(all, is_last));
        EXPECT_TRUE(
            test::eventually(std::chrono::seconds{10}, [&] { return with_->get("/metrics", headers).status == 200; }));
        return all;
    }

    static inline test::ApiCase* with_ = nullptr;
    static inline json::object* document_ = nullptr;
};

TEST_F(ApiMatrix, LetsInWhoHasTheScopeOfTheRouteAndNobodyElse) {
    const std::vector<test::RouteCall> calls = test::calls_of(*document_, with_->catalog().id_of("p-5"));
    ASSERT_GE(calls.size(), 20U);
    for (const Credentials& credentials : all_credentials()) {
        for (test::RouteCall call : calls) {
            // A session is of who began it.
            if (const std::size_t at = call.body.find("test_user"); at != std::string::npos)
                call.body.replace(at, 9, "of the " + credentials.name);
            const test::RawAnswer response = test::send_call(port_of(*with_), call, headers_of(credentials));
            const std::string what = fmt::format("{} {} with {}: {}", call.method, call.path, credentials.name,
                                                 response.body.substr(0, 300));
            if (call.scope == Scope::open || (credentials.scopes && credentials.scopes->has(call.scope))) {
                EXPECT_NE(response.status, 401) << what;
                EXPECT_NE(response.status, 403) << what;
                EXPECT_LT(response.status, 500) << what;
            } else {
                EXPECT_EQ(response.status, credentials.scopes ? 403 : 401) << what;
                EXPECT_THAT(std::string{net::header(response.headers, "www-authenticate")},
                            testing::StartsWith("Bearer realm="))
                    << what;
            }
            EXPECT_EQ(test::shape_fault(*document_, call, response), "") << what;
        }
    }
}

TEST_F(ApiMatrix, KnowsNoOtherPathWhateverTheCredentials) {
    const std::string ana = "Authorization: Bearer " + token("ana", "admin", 600);
    for (const std::string& header : {std::string{"X-A: b"}, ana}) {
        for (const std::string path : {"/nothing", "/api/v1/", "/api/v1/pgvector/search/", "/api/v1/admin", "//healthz",
                                       "/API/v1/pgvector/search"})
            EXPECT_EQ(with_->get(path, {header}).status, 404) << path;
    }
}

TEST_F(ApiMatrix, KeepsTheSessionsOfATokensSubjectFromOthers) {
    const std::string message = R"({"message": "hola", "user_id": "u", "session_id": "of-ana"})";
    const std::string ana = "Authorization: Bearer " + token("ana", "chat", 600);
    const std::string eva = "Authorization: Bearer " + token("eva", "chat", 600);
    ASSERT_EQ(with_->post("/api/v1/chat/message", message, {ana}).status, 200);
    const net::HttpResponse refused = with_->post("/api/v1/chat/message", message, {eva});
    EXPECT_EQ(refused.status, 403) << refused.body;
    const std::string history = "/api/v1/chat/history?user_id=u&session_id=of-ana";
    const net::HttpResponse hers = with_->get(history, {eva});
    EXPECT_TRUE(hers.status == 403 || body_of(hers).at("total_messages") == json::value(0)) << hers.body;
    const test::RouteCall removal{.method = "DELETE", .path = "", .target = "/api/v1/chat/session/of-ana", .body = ""};
    const int status = test::send_call(port_of(*with_), removal, {eva}).status;
    EXPECT_TRUE(status == 403 || status == 404) << status;
    EXPECT_EQ(body_of(with_->get(history, {ana})).at("total_messages"), json::value(2));
}

TEST(ApiOpen, NeedsNoCredentialsUntilThereIsAKey) {
    test::ApiCase with{unlimited};
    const json::object document = body_of(with.get("/openapi.json"));
    const std::vector<test::RouteCall> calls = test::calls_of(document, with.catalog().id_of("p-5"));
    for (const test::RouteCall& call : calls) {
        const test::RawAnswer answer = test::send_call(port_of(with), call, {});
        EXPECT_TRUE(answer.status < 400 || answer.status == 404 || answer.status == 409)
            << call.path << ": " << answer.body;
        EXPECT_EQ(test::shape_fault(document, call, answer), "") << call.path << ": " << answer.body;
    }
    pg::Connection db = with.catalog().open();
    store::ApiKeys{db}.create({.name = "shop", .scopes = {"search"}});
    with.server().reload();
    EXPECT_TRUE(test::eventually(std::chrono::seconds{10}, [&] { return with.get("/metrics").status == 401; }));
    for (const test::RouteCall& call : calls) {
        const int status = test::send_call(port_of(with), call, {}).status;
        EXPECT_EQ(status == 401, call.scope != Scope::open) << call.path << ": " << status;
    }
}

}  // namespace
}  // namespace decant::api
