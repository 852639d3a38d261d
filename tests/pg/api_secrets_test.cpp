// A server whose every secret is a canary, made to fail in all ways: none of them shows in an answer, a log or a trace.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <boost/json/parse.hpp>
#include <csignal>
#include <fstream>
#include <sstream>

#include "core/json.hpp"
#include "core/settings.hpp"
#include "net/http_client.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/http_stand_in.hpp"
#include "tests/support/jwt_token.hpp"
#include "tests/support/route_call.hpp"
#include "tests/support/schema_case.hpp"

namespace decant::api {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::string_view canary = "Kanarienvogel";  // of every secret a part

std::string secret(std::string_view name) {
    return fmt::format("{}-{}-0123456789-0123456789", canary, name);
}

std::string content_of(const std::filesystem::path& path) {
    std::ifstream file{path};
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

/// The parameter: settings on top of those that all have.
class ApiSecrets : public testing::TestWithParam<std::vector<std::string>> {
protected:
    ApiSecrets() : with_(test::ThrowawayCluster::shared().create_database()) {
        const test::Outcome up = with_.decant().run({"schema", "up", "--dimension", "8"});
        EXPECT_EQ(up.exit_code, 0) << up.told();
        with_.exec(
            fmt::format("DROP ROLE IF EXISTS canary_server; CREATE ROLE canary_server LOGIN SUPERUSER PASSWORD '{}'",
                        secret("db")));
    }
    ~ApiSecrets() override { with_.exec("ALTER ROLE canary_server NOLOGIN NOSUPERUSER"); }

    std::vector<std::string> environment(const std::string& conninfo) const {
        std::vector<std::string> all{
            "DATABASE_URL=" + conninfo, "DECANT_PORT=0", "LOG_LEVEL=debug", "LOG_FILE=all.log",
            "DECANT_RATE_FAILED_LOGIN=0", "DECANT_EMBEDDER=openai", "DECANT_EMBEDDING_MODEL=text-embedding-3-small",
            "DECANT_LLM=ollama", "OLLAMA_API_MODEL=llama3", "PRODUCT_SEARCH_STRATEGY=chroma_primary",
            "CHROMA_COLLECTION=products",
            // Nobody listens on port 1.
            fmt::format("OLLAMA_API_URL=http://user:{}@127.0.0.1:1", secret("ollama")),
            fmt::format("OPENAI_BASE_URL=http://user:{}@127.0.0.1:1", secret("openai-url")),
            "OPENAI_API_KEY=" + secret("openai-key"), "JWT_SECRET_KEY=" + secret("jwt"), "LANGSMITH_TRACING=true",
            "LANGSMITH_API_KEY=" + secret("langsmith"),
            fmt::format("OTEL_EXPORTER_OTLP_ENDPOINT=http://user:{}@127.0.0.1:{}/{}", secret("otlp-url"),
                        traces_.port(), secret("otlp-path")),
            "OTEL_EXPORTER_OTLP_HEADERS=x-api-key=" + secret("otlp"),
            "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=true", "DECANT_KEEP_QUESTIONS=true"};
        const std::string langsmith =
            fmt::format("http://user:{}@127.0.0.1:{}/{}", secret("langsmith-url"), traces_.port(), secret("path"));
        const bool has_replicas = GetParam().size() > 1;
        all.push_back(has_replicas
                          ? fmt::format(R"(LANGSMITH_RUNS_ENDPOINTS={{"{}": "{}", "http://127.0.0.1:1/{}": ""}})",
                                        langsmith, secret("langsmith-replica"), secret("dead-path"))
                          : "LANGSMITH_ENDPOINT=" + langsmith);
        all.insert(all.end(), GetParam().begin(), GetParam().end());
        return all;
    }

    /// All that was told of requests, to LangSmith, the collector and the database.
    std::string traces() const {
        std::string all = with_.value("SELECT string_agg(to_jsonb(r)::text, ' ') FROM decant.trace_runs r");
        for (const test::StandInRequest& request : traces_.requests())
            all += request.target.substr(request.target.find('/', 1)) + " " + request.body;
        return all;
    }

    /// Takes every second thing, and repeats what it was asked with to the others.
    test::StandInAnswer answer(const test::StandInRequest& request) {
        if (request.method == "GET" || asked_++ % 2 == 1) return {.body = "{}"};
        return {
            .status = 500,
            .body = request.target + " " + request.headers.at("x-api-key") + " " + request.headers.at("authorization")};
    }

    std::atomic<int> asked_ = 0;
    test::HttpStandIn traces_{[this](const test::StandInRequest& request) { return answer(request); }};
    test::SchemaCase with_;
};

std::string token(std::string_view with_secret, std::string_view scopes) {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const auto expires = std::chrono::duration_cast<std::chrono::seconds>(now).count() + 600;
    return test::make_token(test::jwt_header, fmt::format(R"({{"sub":"ana","scope":"{}","exp":{}}})", scopes, expires),
                            with_secret);
}

TEST_P(ApiSecrets, ShowInNoAnswerAndNoLog) {
    const test::ThrowawayCluster& cluster = test::ThrowawayCluster::shared();
    const std::string conninfo = with_.decant().conninfo();
    const std::string database = conninfo.substr(conninfo.rfind('=') + 1);
    test::RunningDecant server{
        {.arguments = {"serve"},
         .environment = environment(cluster.tcp_conninfo(database, "canary_server", secret("db"))),
         .folder = with_.decant().folder()}};
    std::string url;
    ASSERT_TRUE(test::eventually(std::chrono::seconds{20}, [&] {
        const std::string log = server.err();
        const std::size_t at = log.find("listening on ");
        if (at != std::string::npos) url = log.substr(at + 13, log.find_first_of("\"\n", at) - at - 13);
        return !url.empty() || server.has_ended();
    }));
    ASSERT_FALSE(url.empty()) << server.err();
    const auto port = static_cast<std::uint16_t>(std::stoul(net::parse_url(url, "URL").port));
    std::string told;
    const auto ask = [&](const test::RouteCall& call, const std::vector<std::string>& headers) {
        const test::RawAnswer answer = test::send_call(port, call, headers);
        told += answer.head + answer.body + "\n";
        return answer;
    };
    const json::object document =
        json::parse(ask({.method = "GET", .path = "", .target = "/openapi.json", .body = ""}, {}).body).as_object();
    const std::string good = "Authorization: Bearer " + token(secret("jwt"), "search embed chat admin metrics");
    const std::string forged = "Authorization: Bearer " + token("another secret of 32 bytes or more", "search");
    const auto ask_all = [&](const std::string& header) {
        for (const test::RouteCall& call : test::calls_of(document, "00000000-0000-0000-0000-000000000000"))
            ask(call, {header});
    };
    ask_all("X-A: b");
    ask_all(forged);
    ask_all(good);
    // The database refuses the server from now on, and ends what it has.
    with_.exec("ALTER ROLE canary_server NOLOGIN");
    with_.exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'canary_server'");
    ask_all(good);
    server.signal(SIGHUP);
    server.signal(SIGTERM);
    const test::Outcome outcome = server.wait();
    EXPECT_EQ(outcome.exit_code, 0) << outcome.told();
    EXPECT_THAT(told, HasSubstr(" 503 ")) << "nothing failed";
    EXPECT_THAT(told, HasSubstr(" 200 ")) << "everything failed";
    EXPECT_THAT(told, Not(HasSubstr(std::string{canary})));
    EXPECT_THAT(outcome.out + outcome.err, Not(HasSubstr(std::string{canary})));
    const std::string told_of = traces();
    EXPECT_THAT(told_of, HasSubstr("/runs/multipart"));
    EXPECT_THAT(told_of, HasSubstr("/v1/traces"));
    EXPECT_THAT(told_of, HasSubstr("product_agent"));
    EXPECT_THAT(told_of, Not(HasSubstr(std::string{canary})));
    const std::string log = content_of(with_.decant().folder() / "all.log");
    EXPECT_THAT(log, HasSubstr("listening on"));
    EXPECT_THAT(log, HasSubstr("it answers 500: /***/"));
    EXPECT_THAT(log, Not(HasSubstr(std::string{canary})));
}

INSTANTIATE_TEST_SUITE_P(Ways, ApiSecrets,
                         testing::Values(std::vector{fmt::format("CHROMA_URL=http://user:{}@127.0.0.1:1",
                                                                 secret("chroma-url"))},
                                         std::vector<std::string>{"CHROMA_URL=http://127.0.0.1:1",
                                                                  "CHROMA_TOKEN=" + secret("token"), "LOG_FORMAT=json"},
                                         std::vector<std::string>{"CHROMA_URL=http://127.0.0.1:1", "CHROMA_USER=user",
                                                                  "CHROMA_PASSWORD=" + secret("user"),
                                                                  "DECANT_EMBEDDER=ollama", "DECANT_LLM=openai"}));

}  // namespace
}  // namespace decant::api
