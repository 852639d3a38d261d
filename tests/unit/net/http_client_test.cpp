#include "net/http_client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <thread>

#include "tests/support/eventually.hpp"
#include "tests/support/http_stand_in.hpp"
#include "tests/support/scratch_folder.hpp"

namespace decant::net {
namespace {

using namespace std::chrono_literals;
using test::HttpStandIn;
using test::StandInAnswer;
using test::StandInRequest;
using testing::HasSubstr;

HttpService service_at(const std::string& url) {
    return {.name = "The service", .url = parse_url(url, "it"), .first_pause = 1ms};
}

/// Gives `answers` one after the other, then the last again and again.
HttpStandIn::Script in_turn(std::vector<StandInAnswer> answers) {
    return [answers = std::move(answers), next = std::make_shared<std::atomic<std::size_t>>(0)](const StandInRequest&) {
        return answers[std::min(next->fetch_add(1), answers.size() - 1)];
    };
}

ErrorCode code_of(HttpClient& client, const HttpRequest& request) {
    try {
        client.send(request);
    } catch (const Error& error) {
        return error.code();
    }
    return ErrorCode::internal;
}

TEST(HttpClient, DoesNotAskAgainForWhatWouldOnlyComeAgain) {
    HttpStandIn server{in_turn({{.status = 500, .body = "too long"}})};
    HttpClient client{service_at(server.url())};
    const auto is_final = [](const HttpResponse& response) { return response.body == "too long"; };
    EXPECT_EQ(client.send({.path = "/", .is_final = is_final}).status, 500);
    EXPECT_EQ(server.requests().size(), 1U);
}

TEST(HttpClient, SendsWhatIsAskedOnOneConnection) {
    HttpStandIn server{in_turn({{.body = "yes", .headers = {"X-Kind: plain"}}})};
    HttpService service = service_at(server.url() + "/base/");
    service.url.user = "ana";
    service.url.password = "p@ss";
    service.headers = {"X-Token: t"};
    HttpClient client{std::move(service)};
    const HttpResponse first = client.send({.path = "/a?b=1"});
    client.send({.path = "/c", .body = "{}"});
    EXPECT_EQ(first.body, "yes");
    EXPECT_EQ(first.headers.at("x-kind"), "plain");
    const auto requests = server.requests();
    ASSERT_EQ(requests.size(), 2U);
    EXPECT_EQ(requests[0].method + requests[0].target, "GET/base/a?b=1");
    EXPECT_EQ(requests[0].headers.at("authorization"), "Basic YW5hOnBAc3M=");
    EXPECT_EQ(requests[0].headers.at("x-token"), "t");
    EXPECT_EQ(requests[1].method + requests[1].target + requests[1].body, "POST/base/c{}");
    EXPECT_EQ(server.connections(), 1U);
}

class Passing : public testing::TestWithParam<StandInAnswer> {};

TEST_P(Passing, FailuresAreTriedAgain) {
    const HttpStandIn server{in_turn({{.body = "first"}, GetParam(), GetParam(), {.body = "whole"}})};
    HttpClient client{service_at(server.url())};
    client.send({.path = "/"});
    EXPECT_EQ(client.send({.path = "/"}).body, "whole");
    EXPECT_EQ(server.requests().size(), 4U);
}

TEST_P(Passing, FailuresEndAfterFiveTriesAndAreNotRepeatedWhereARequestMayGoOutOnce) {
    const HttpStandIn server{in_turn({GetParam()})};
    HttpClient client{service_at(server.url())};
    const auto send = [&](int tries) {
        try {
            return client.send({.path = "/", .tries = tries}).status;
        } catch (const Error&) {
            return 0;
        }
    };
    EXPECT_THAT(send(1), testing::AnyOf(0, GetParam().status));
    EXPECT_EQ(server.requests().size(), 1U);
    EXPECT_THAT(send(5), testing::AnyOf(0, GetParam().status));
    EXPECT_EQ(server.requests().size(), 6U);
}

INSTANTIATE_TEST_SUITE_P(Kinds, Passing,
                         testing::Values(StandInAnswer{.status = 500}, StandInAnswer{.status = 503},
                                         StandInAnswer{.status = 429, .headers = {"Retry-After: 0"}},
                                         StandInAnswer{.body = "cut short", .cut_after = 3},
                                         StandInAnswer{.body = "nothing", .cut_after = 0}));

TEST(HttpClient, ReturnsRefusalsAtOnce) {
    for (const int status : {301, 400, 401, 403, 404, 410}) {
        const HttpStandIn server{in_turn({{.status = status, .headers = {"Location: http://elsewhere/"}}})};
        HttpClient client{service_at(server.url())};
        EXPECT_EQ(client.send({.path = "/"}).status, status);
        EXPECT_EQ(server.requests().size(), 1U);
    }
}

TEST(HttpClient, TriesAgainWhenABodyIsNotWhole) {
    const HttpStandIn server{in_turn({{.body = "{"}, {.body = "{}"}})};
    HttpClient client{service_at(server.url())};
    EXPECT_EQ(client.send({.path = "/", .is_whole = [](std::string& body) { return body == "{}"; }}).body, "{}");
    EXPECT_EQ(server.requests().size(), 2U);
}

TEST(HttpClient, EndsWithTheServicesCodeWhenNobodyListens) {
    std::string url;
    {
        const HttpStandIn gone{in_turn({{}})};
        url = gone.url();
    }
    HttpService service = service_at(url);
    service.unavailable = ErrorCode::embedder_unavailable;
    HttpClient client{std::move(service)};
    EXPECT_EQ(code_of(client, {.path = "/"}), ErrorCode::embedder_unavailable);
}

TEST(HttpClient, GivesUpOnAServerThatIsSilent) {
    const HttpStandIn server{in_turn({{.is_withheld = true}})};
    HttpService service = service_at(server.url());
    service.total_timeout = 50ms;
    HttpClient client{std::move(service)};
    EXPECT_EQ(code_of(client, {.path = "/", .tries = 2}), ErrorCode::timed_out);
    EXPECT_EQ(server.requests().size(), 2U);
}

TEST(HttpClient, HoldsNoMoreThanTheLimitOfAnAnswer) {
    const HttpStandIn server{in_turn({{.body = std::string(100'000, 'x')}})};
    HttpClient client{service_at(server.url())};
    EXPECT_EQ(code_of(client, {.path = "/", .most_body_bytes = 99'999}), ErrorCode::too_large);
    EXPECT_EQ(client.send({.path = "/", .most_body_bytes = 100'000}).body.size(), 100'000U);
}

TEST(HttpClient, HandsOverAStreamAsItComesUntilItsReaderHasEnough) {
    const HttpStandIn server{in_turn({{.chunks = {"one ", "two ", "three"}}})};
    HttpClient client{service_at(server.url())};
    std::string all;
    client.send({.path = "/", .on_bytes = [&](std::string_view bytes) {
                     all += bytes;
                     return true;
                 }});
    EXPECT_EQ(all, "one two three");
    EXPECT_TRUE(client.send({.path = "/", .on_bytes = [](std::string_view) { return false; }}).is_ok());
}

TEST(HttpClient, TakesGzip) {
    using namespace std::string_literals;
    const std::string gzipped =
        "\037\213\010\000\000\000\000\000\002\003\253\256\005\000\103\277\246\243\002\000\000\000"s;
    const HttpStandIn server{in_turn({{.body = gzipped, .headers = {"Content-Encoding: gzip"}}})};
    HttpClient client{service_at(server.url())};
    EXPECT_EQ(client.send({.path = "/"}).body, "{}");
    EXPECT_EQ(server.requests().front().headers.at("accept-encoding"), "gzip");
}

TEST(HttpClient, RefusesAHeaderThatCouldCarryAnother) {
    HttpService service = service_at("http://127.0.0.1:1");
    service.headers = {"X-Token: secret\r\nX-Other: 1"};
    try {
        const HttpClient client{std::move(service)};
        FAIL() << "no error";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::config_invalid);
        EXPECT_THAT(error.happened(), testing::AllOf(HasSubstr("X-Token"), testing::Not(HasSubstr("secret"))));
    }
}

class HttpsClient : public testing::Test {
protected:
    HttpsClient() { test::make_certificate(folder_); }
    ~HttpsClient() override { std::filesystem::remove_all(folder_); }

    std::filesystem::path folder_ = test::make_scratch_folder("https");
};

TEST_F(HttpsClient, RefusesACertificateThatNobodyKnows) {
    const HttpStandIn server{in_turn({{.body = "yes"}}), folder_};
    HttpService service = service_at(server.url());
    service.ca_setting = "SOME_CA_FILE";
    HttpClient client{std::move(service)};
    try {
        client.send({.path = "/"});
        FAIL() << "no error";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::config_invalid);
        EXPECT_THAT(error.remedy(), HasSubstr("SOME_CA_FILE"));
    }
    EXPECT_TRUE(server.requests().empty());
}

TEST_F(HttpsClient, TrustsTheAuthorityThatIsNamed) {
    const HttpStandIn server{in_turn({{.body = "yes"}}), folder_};
    HttpService service = service_at(server.url());
    service.ca_file = (folder_ / "cert.pem").string();
    HttpClient client{std::move(service)};
    EXPECT_EQ(client.send({.path = "/"}).body, "yes");
}

TEST(HttpLimits, EndTriesAtTheDeadline) {
    HttpStandIn server{in_turn({{.status = 503}})};
    HttpService service = service_at(server.url());
    service.first_pause = 10s;
    HttpClient client{std::move(service)};
    client.limit({.deadline = std::chrono::steady_clock::now() + 2s});
    EXPECT_EQ(code_of(client, {.path = "/"}), ErrorCode::timed_out) << "a pause that would be in vain";
    EXPECT_EQ(server.requests().size(), 1U);
    client.limit({.deadline = std::chrono::steady_clock::now()});
    EXPECT_EQ(code_of(client, {.path = "/"}), ErrorCode::timed_out);
    EXPECT_EQ(server.requests().size(), 1U) << "nothing is sent after the deadline";
}

TEST(HttpLimits, AllowFewerTries) {
    HttpStandIn server{in_turn({{.status = 503}})};
    HttpClient client{service_at(server.url())};
    client.limit({.tries = 2});
    EXPECT_EQ(client.send({.path = "/"}).status, 503);
    EXPECT_EQ(server.requests().size(), 2U);
}

TEST(HttpLimits, SendNothingForWhoStopped) {
    HttpStandIn server{in_turn({{.body = "yes"}})};
    HttpClient client{service_at(server.url())};
    std::stop_source source;
    client.limit({.stop = source.get_token()});
    EXPECT_EQ(client.send({.path = "/"}).body, "yes");
    source.request_stop();
    EXPECT_EQ(code_of(client, {.path = "/"}), ErrorCode::cancelled);
    EXPECT_EQ(server.requests().size(), 1U);
}

/// How a request ends that is stopped as soon as it has reached the server, and after how long.
std::pair<ErrorCode, std::chrono::steady_clock::duration> stopped(const StandInAnswer& answer) {
    HttpStandIn server{in_turn({answer})};
    HttpService service = service_at(server.url());
    service.first_pause = 60s;
    HttpClient client{std::move(service)};
    std::stop_source source;
    client.limit({.stop = source.get_token()});
    std::chrono::steady_clock::time_point asked;
    const std::jthread other{[&] {
        test::eventually(10s, [&] { return !server.requests().empty(); });
        asked = std::chrono::steady_clock::now();
        source.request_stop();
    }};
    const ErrorCode code = code_of(client, {.path = "/"});
    const auto end = std::chrono::steady_clock::now();
    while (!source.stop_requested())
        std::this_thread::yield();
    return {code, end - asked};
}

TEST(HttpLimits, StopARequestWhoseServerIsSilentWithoutWaitingForIt) {
    for (const StandInAnswer& answer :
         {StandInAnswer{.is_withheld = true}, StandInAnswer{.body = "begun", .cut_after = 2, .is_withheld = true}}) {
        const auto [code, span] = stopped(answer);
        EXPECT_EQ(code, ErrorCode::cancelled);
        EXPECT_LT(span, 500ms);
    }
}

TEST(HttpLimits, StopAPauseBetweenTwoTries) {
    const auto [code, span] = stopped({.status = 503});
    EXPECT_EQ(code, ErrorCode::cancelled);
    EXPECT_LT(span, 500ms);
}

}  // namespace
}  // namespace decant::net
