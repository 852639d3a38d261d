#include "net/http_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "core/bounded_queue.hpp"
#include "core/error.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/plain_server.hpp"
#include "tests/support/raw_client.hpp"

namespace decant::net {
namespace {

using namespace std::chrono_literals;
using test::HeldExchanges;
using test::RawAnswer;
using test::RawClient;
using test::serve;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using ExchangePtr = std::shared_ptr<Exchange>;

TEST(HttpServer, HandsOverARequestAsItWasSent) {
    HeldExchanges held;
    const auto server = serve(held.handle());
    RawClient client{server->port()};
    client.send(
        "PATCH /a%20b?c=d HTTP/1.1\r\nHost: shop:80\r\nX-Two:  one\t\r\nContent-Length: 4\r\nX-Two: two\r\n\r\nbody");
    const ExchangePtr exchange = held.next();
    const ServerRequest& request = exchange->request();
    EXPECT_EQ(request.method + " " + request.target + " " + request.body, "PATCH /a%20b?c=d body");
    EXPECT_THAT(request.headers,
                testing::UnorderedElementsAre(testing::Pair("host", "shop:80"), testing::Pair("x-two", "one"),
                                              testing::Pair("x-two", "two"), testing::Pair("content-length", "4")));
    EXPECT_EQ(header(request.headers, "host"), "shop:80");
    EXPECT_EQ(header(request.headers, "x-two"), "") << "there are two";
    EXPECT_EQ(request.peer, "127.0.0.1");
    EXPECT_TRUE(request.is_loopback);
    EXPECT_LE(std::chrono::steady_clock::now() - request.arrived, 20s);
}

TEST(HttpServer, SendsAnAnswerWithItsHeadersAndKeepsTheConnection) {
    const auto server = serve([](const ExchangePtr& exchange) {
        exchange->reply({.status = 201, .headers = {{"X-Kind", "plain"}}, .body = "made"});
    });
    RawClient client{server->port()};
    for (int request = 0; request < 3; ++request) {
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        const RawAnswer answer = client.read_answer().value();
        EXPECT_THAT(answer.head, testing::StartsWith("HTTP/1.1 201 Created\r\n"));
        EXPECT_THAT(header(answer.headers, "date"), testing::EndsWith(" GMT"));
        EXPECT_EQ(header(answer.headers, "x-kind"), "plain");
        EXPECT_EQ(header(answer.headers, "connection"), "");
        EXPECT_EQ(answer.body, "made");
    }
    EXPECT_EQ(server->counts().accepted, 1U);
    EXPECT_EQ(server->counts().open, 1U);
}

TEST(HttpServer, AnswersPipelinedRequestsInTheirOrder) {
    const auto server = serve(test::echo);
    RawClient client{server->port()};
    client.send(
        "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nPOST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\ntwo"
        "POST /3 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nthree\r\n0\r\n\r\nGET /4 "
        "HTTP/1.1\r\nHo");
    EXPECT_EQ(client.read_answer().value().body, "GET /1 ");
    EXPECT_EQ(client.read_answer().value().body, "POST /2 two");
    EXPECT_EQ(client.read_answer().value().body, "POST /3 three");
    client.send("st: a\r\n\r\n");
    EXPECT_EQ(client.read_answer().value().body, "GET /4 ");
}

TEST(HttpServer, TakesARequestThatComesByteByByte) {
    const auto server = serve(test::echo);
    RawClient client{server->port()};
    const std::string_view request =
        "POST /slow HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nab\r\n3\r\ncde\r\n0\r\nExpires: "
        "0\r\n\r\n";
    for (const char byte : request)
        client.send({&byte, 1});
    EXPECT_EQ(client.read_answer().value().body, "POST /slow abcde");
}

TEST(HttpServer, DropsTrailers) {
    HeldExchanges held;
    const auto server = serve(held.handle());
    RawClient client{server->port()};
    client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nAuthorization: Bearer x\r\n\r\n");
    EXPECT_EQ(header(held.next()->request().headers, "authorization"), "");
}

TEST(HttpServer, SendsTheLengthButNotTheBodyToHead) {
    const auto server = serve(test::echo);
    RawClient client{server->port()};
    client.send("HEAD /x HTTP/1.1\r\nHost: a\r\n\r\nGET /y HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(header(client.read_answer(true).value().headers, "content-length"), "8");
    EXPECT_EQ(client.read_answer().value().body, "GET /y ");
}

TEST(HttpServer, SendsNoBodyWithStatusesThatHaveNone) {
    const auto server = serve([](const ExchangePtr& exchange) {
        exchange->reply({.status = std::stoi(exchange->request().target.substr(1)), .body = "forgotten"});
    });
    RawClient client{server->port()};
    for (const int status : {204, 304}) {
        client.send("GET /" + std::to_string(status) +
                    " HTTP/1.1\r\nHost: a\r\n\r\nGET /200 HTTP/1.1\r\nHost: a\r\n\r\n");
        EXPECT_EQ(client.read_answer().value().status, status);
        EXPECT_EQ(client.read_answer().value().body, "forgotten");
    }
}

TEST(HttpServer, ClosesWhenTheClientAsksForIt) {
    const auto server = serve(test::echo);
    RawClient client{server->port()};
    client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET /not-read HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(header(client.read_answer().value().headers, "connection"), "close");
    EXPECT_FALSE(client.read_answer());
}

TEST(HttpServer, SpeaksHttp10) {
    const auto server = serve(test::echo);
    RawClient closing{server->port()};
    closing.send("GET /old HTTP/1.0\r\n\r\n");
    EXPECT_EQ(closing.read_answer().value().body, "GET /old ");
    EXPECT_FALSE(closing.read_answer());
    RawClient keeping{server->port()};
    for (int request = 0; request < 2; ++request) {
        keeping.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        EXPECT_EQ(header(keeping.read_answer().value().headers, "connection"), "keep-alive");
    }
}

TEST(HttpServer, AsksForABodyThatWaitsForIt) {
    const auto server = serve(test::echo);
    RawClient client{server->port()};
    const std::string head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n";
    client.send(head);
    EXPECT_EQ(client.read_answer().value().status, 100);
    client.send("ok");
    EXPECT_EQ(client.read_answer().value().body, "POST / ok");
    client.send(head + "ok");
    EXPECT_EQ(client.read_answer().value().status, 200) << "what is there already needs no invitation";
}

TEST(HttpServer, TakesABodyUpToTheLimit) {
    const auto server = serve(
        [](const ExchangePtr& exchange) { exchange->reply({.body = std::to_string(exchange->request().body.size())}); },
        {.most_body_bytes = 100'000});
    const auto post = [&](std::size_t bytes) {
        RawClient client{server->port()};
        client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(bytes) + "\r\n\r\n");
        client.send(std::string(bytes, 'x'));
        return client.read_answer().value();
    };
    EXPECT_EQ(post(100'000).body, "100000");
    EXPECT_EQ(post(100'001).status, 413);
}

TEST(HttpServer, DoesNotTakeItsAnswerBackFromAClientThatIsStillSending) {
    const auto server = serve(test::echo, {.most_body_bytes = 100'000});
    RawClient client{server->port()};
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5000000\r\n\r\n");
    EXPECT_TRUE(client.send(std::string(5'000'000, 'x')));
    EXPECT_EQ(client.read_answer().value().status, 413);
    EXPECT_FALSE(client.read_answer());
    EXPECT_FALSE(client.was_reset());
}

TEST(HttpServer, SendsAStreamAsItIsWritten) {
    HeldExchanges held;
    const auto server = serve(held.handle());
    RawClient client{server->port()};
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    const ExchangePtr exchange = held.next();
    exchange->begin_stream({.headers = {{"Content-Type", "text/event-stream"}}, .body = "first "});
    std::string seen;
    const auto read_until = [&](std::string_view part) {
        while (seen.find(part) == std::string::npos)
            seen += client.read(1'000);
    };
    read_until("first ");
    EXPECT_TRUE(exchange->write("second "));
    read_until("second ");
    EXPECT_TRUE(exchange->write(""));
    EXPECT_TRUE(exchange->write("third"));
    exchange->end_stream();
    read_until("0\r\n\r\n");
    EXPECT_THAT(seen, HasSubstr("Transfer-Encoding: chunked\r\n"));
    EXPECT_THAT(seen, testing::EndsWith("\r\n\r\n6\r\nfirst \r\n7\r\nsecond \r\n5\r\nthird\r\n0\r\n\r\n"));
    EXPECT_FALSE(exchange->write("after the end"));
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    held.next()->reply({.body = "the connection is kept"});
    EXPECT_EQ(client.read_answer().value().body, "the connection is kept");
}

TEST(HttpServer, StreamsToHttp10UntilItCloses) {
    const auto server = serve([](const ExchangePtr& exchange) {
        exchange->begin_stream({.body = "one "});
        exchange->write("two");
        exchange->end_stream();
    });
    RawClient client{server->port()};
    client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    const RawAnswer answer = client.read_answer().value();
    EXPECT_EQ(answer.body, "one two");
    EXPECT_THAT(answer.head, Not(HasSubstr("chunked")));
}

TEST(HttpServer, MakesAWriterWaitForAClientThatIsSlow) {
    HeldExchanges held;
    const auto server = serve(held.handle());
    RawClient client = RawClient::with_small_window(server->port());
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    const ExchangePtr exchange = held.next();
    constexpr std::size_t all = 24UL << 20U;
    std::atomic<std::size_t> written{0};
    std::jthread writer{[&] {
        exchange->begin_stream({});
        while (written < all && exchange->write(std::string(65'536, 'x')))
            written += 65'536;
        exchange->end_stream();
    }};
    // What is between the two: the socket's buffers, some megabytes at most.
    std::size_t last = 0;
    int same = 0;
    ASSERT_TRUE(test::eventually(10s, [&] {
        const std::size_t now = written;
        same = now > 0 && std::exchange(last, now) == now ? same + 1 : 0;
        return same == 50;
    }));
    EXPECT_LT(written, all / 2);
    EXPECT_EQ(client.read_answer().value().body.size(), all);
}

TEST(HttpServer, TellsAWriterThatTheClientIsGone) {
    HeldExchanges held;
    const auto server = serve(held.handle());
    RawClient client = RawClient::with_small_window(server->port());
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    const ExchangePtr exchange = held.next();
    exchange->begin_stream({});
    std::jthread writer{[&] {
        while (exchange->write(std::string(65'536, 'x'))) {
        }
    }};
    client.read(100);
    client.reset();
    writer.join();
    EXPECT_TRUE(exchange->left().stop_requested());
}

TEST(HttpServer, AnswersForAHandlerThatDoesNot) {
    const auto server = serve([](const ExchangePtr& exchange) {
        if (exchange->request().target == "/throw") throw std::runtime_error("on purpose");
    });
    RawClient client{server->port()};
    for (const std::string target : {"/drop", "/throw", "/drop"}) {
        client.send("GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n");
        EXPECT_EQ(client.read_answer().value().status, 500);
    }
    EXPECT_EQ(server->counts().refused, 0U);
}

TEST(HttpServer, CutsAStreamThatIsDroppedBeforeItsEnd) {
    const auto server = serve([](const ExchangePtr& exchange) { exchange->begin_stream({.body = "begun"}); });
    RawClient client{server->port()};
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_THAT(client.read_to_end(), testing::EndsWith("\r\n5\r\nbegun\r\n"));
}

TEST(HttpServer, SendsNoHeaderThatCouldCarryAnother) {
    const std::vector<ServerResponse> unsendable{{.headers = {{"Location", "/a\r\nSet-Cookie: b"}}},
                                                 {.headers = {{"X-A: b\r\nX-C", "d"}}},
                                                 {.headers = {{"X-A", std::string("\0", 1)}}},
                                                 {.headers = {{"", "x"}}},
                                                 {.headers = {{"content-length", "1"}}, .body = "ab"},
                                                 {.status = 0},
                                                 {.status = 101}};
    for (const bool is_stream : {false, true}) {
        for (const ServerResponse& response : unsendable) {
            const auto server = serve([&](const ExchangePtr& exchange) {
                is_stream ? exchange->begin_stream(response) : exchange->reply(response);
            });
            RawClient client{server->port()};
            client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
            const std::string answer = client.read_to_end();
            EXPECT_THAT(answer, testing::StartsWith("HTTP/1.1 500 "));
            EXPECT_THAT(answer, Not(HasSubstr("Set-Cookie")));
        }
    }
}

TEST(HttpServer, TellsAHandlerThatItsClientHasLeft) {
    HeldExchanges held;
    const auto server = serve(held.handle());
    enum class Way { close, reset, half_close };
    for (const Way way : {Way::close, Way::reset, Way::half_close}) {
        std::optional<RawClient> client{server->port()};
        client->send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        const ExchangePtr exchange = held.next();
        EXPECT_FALSE(exchange->left().stop_requested());
        if (way == Way::close) client.reset();
        if (way == Way::reset) client->reset();
        if (way == Way::half_close) client->half_close();
        EXPECT_TRUE(test::eventually(1s, [&] { return exchange->left().stop_requested(); }));
        exchange->reply({.body = "late"});
        if (way != Way::half_close) continue;
        EXPECT_EQ(client->read_answer().value().body, "late") << "it can still read";
        EXPECT_FALSE(client->read_answer());
    }
    EXPECT_TRUE(test::eventually(5s, [&] { return server->counts().open == 0; }));
}

TEST(HttpServer, AnswersManyClientsFromManyThreads) {
    BoundedQueue<ExchangePtr> queue{100'000};
    const auto server = serve([&](ExchangePtr exchange) { queue.push(std::move(exchange), 1); });
    std::vector<std::jthread> threads;
    for (int worker = 0; worker < 4; ++worker) {
        threads.emplace_back([&] {
            while (const auto exchange = queue.pop())
                test::echo(*exchange);
        });
    }
    std::atomic<int> right{0};
    {
        std::vector<std::jthread> clients;
        for (int number = 0; number < 8; ++number) {
            clients.emplace_back([&, number] {
                RawClient client{server->port()};
                for (int request = 0; request < 200; ++request) {
                    const std::string target = "/" + std::to_string(number) + "/" + std::to_string(request);
                    client.send("GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n");
                    if (client.read_answer().value().body == "GET " + target + " ") ++right;
                }
            });
        }
    }
    EXPECT_EQ(right, 8 * 200);
    queue.close();
}

TEST(HttpServer, LetsAnExchangeOutliveIt) {
    HeldExchanges held;
    auto server = serve(held.handle());
    RawClient client{server->port()};
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    const ExchangePtr exchange = held.next();
    server.reset();
    EXPECT_TRUE(exchange->left().stop_requested());
    exchange->begin_stream({});
    EXPECT_FALSE(exchange->write("to nobody"));
    exchange->end_stream();
}

TEST(HttpServer, SaysWhyItCannotListen) {
    const auto server = serve(test::echo);
    const auto why = [](ServerSetup setup) -> std::string {
        try {
            const HttpServer other{std::move(setup), test::echo, {}};
        } catch (const Error& error) {
            return error.code() == ErrorCode::config_invalid ? error.happened() : "another code";
        }
        return "no error";
    };
    EXPECT_THAT(why({.port = server->port()}), HasSubstr("Address already in use"));
    EXPECT_THAT(why({.host = "192.0.2.1", .port = 0}), HasSubstr("Cannot listen on 192.0.2.1"));
    EXPECT_THAT(why({.host = "no address", .port = 0}), HasSubstr("The address no address to listen on is none"));
}

TEST(HttpServer, ListensOnIpv6AndTellsIpv4AsWhatItIs) {
    HeldExchanges held;
    const auto server = serve(held.handle(), {.host = "::"});
    RawClient client{server->port()};
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    const ExchangePtr exchange = held.next();
    EXPECT_EQ(exchange->request().peer, "127.0.0.1");
    EXPECT_TRUE(exchange->request().is_loopback);
}

}  // namespace
}  // namespace decant::net
