#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <thread>

#include "core/bounded_queue.hpp"
#include "net/http_server.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/plain_server.hpp"
#include "tests/support/raw_client.hpp"

namespace decant::net {
namespace {

using namespace std::chrono_literals;
using test::eventually;
using test::get;
using test::HeldExchanges;
using test::RawClient;
using test::serve;
using test::status_of;
using ExchangePtr = std::shared_ptr<Exchange>;

TEST(HttpServerEnd, DrainsWithoutAFailedRequest) {
    BoundedQueue<ExchangePtr> queue{100'000};
    std::jthread worker{[&] {
        while (const auto exchange = queue.pop())
            test::echo(*exchange);
    }};
    const auto server = serve([&](ExchangePtr exchange) { queue.push(std::move(exchange), 1); });
    std::atomic<int> answered{0};
    std::atomic<int> failed{0};
    std::vector<std::jthread> clients;
    for (int number = 0; number < 8; ++number) {
        clients.emplace_back([&](const std::stop_token& stop) {
            RawClient client{server->port()};
            while (!stop.stop_requested()) {
                client.send(get);
                const auto answer = client.read_answer();
                ++(answer && answer->status == 200 ? answered : failed);
                if (!answer || header(answer->headers, "connection") == "close") return;
            }
        });
    }
    ASSERT_TRUE(eventually(10s, [&] { return answered > 500; }));
    server->drain();
    EXPECT_TRUE(server->wait_drained(10s));
    clients.clear();
    EXPECT_EQ(failed, 0);
    EXPECT_THROW(RawClient{server->port()}, std::runtime_error);
    queue.close();
}

TEST(HttpServerEnd, AnswersConnectionsThatWereNotAcceptedYet) {
    HeldExchanges held;
    const auto server = serve(held.handle(), {.most_connections = 1});
    RawClient busy{server->port()};
    busy.send(get);
    const ExchangePtr exchange = held.next();
    std::deque<RawClient> others;
    for (int number = 0; number < 20; ++number)
        others.emplace_back(server->port()).send(get);
    EXPECT_EQ(server->counts().accepted, 1U) << "there is room for one";
    server->drain();
    exchange->reply({});
    EXPECT_EQ(busy.read_answer().value().status, 200);
    for (std::size_t number = 0; number < others.size(); ++number)
        held.next()->reply({});
    for (RawClient& client : others)
        EXPECT_EQ(client.read_answer().value().status, 200);
}

TEST(HttpServerEnd, GivesIdleConnectionsOneMoreRequest) {
    const auto server = serve(test::echo);
    RawClient client{server->port()};
    RawClient idle{server->port()};
    EXPECT_EQ(status_of(client), 200);
    EXPECT_EQ(status_of(idle), 200);
    server->drain();
    client.send(get);
    const auto answer = client.read_answer().value();
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(header(answer.headers, "connection"), "close");
    EXPECT_FALSE(client.read_answer());
    EXPECT_EQ(idle.read_to_end(), "");
    client.half_close();
    EXPECT_TRUE(server->wait_drained(5s));
}

TEST(HttpServerEnd, WaitsForWhatIsUnderWay) {
    HeldExchanges held;
    const auto server = serve(held.handle());
    RawClient client{server->port()};
    client.send(get);
    const ExchangePtr exchange = held.next();
    server->drain();
    EXPECT_FALSE(server->wait_drained(20ms));
    EXPECT_FALSE(exchange->left().stop_requested());
    exchange->reply({.body = "at last"});
    const auto answer = client.read_answer().value();
    EXPECT_EQ(answer.body, "at last");
    EXPECT_EQ(header(answer.headers, "connection"), "close");
    client.half_close();
    EXPECT_TRUE(server->wait_drained(5s));
}

TEST(HttpServerEnd, StopsAtOnceWhateverIsUnderWay) {
    HeldExchanges held;
    const auto server = serve(held.handle());
    RawClient waiting{server->port()};
    waiting.send(get);
    const ExchangePtr exchange = held.next();
    RawClient streaming = RawClient::with_small_window(server->port());
    streaming.send(get);
    const ExchangePtr stream = held.next();
    std::jthread writer{[&] {
        stream->begin_stream({});
        while (stream->write(std::string(65'536, 'x'))) {
        }
    }};
    RawClient partial{server->port()};
    partial.send("GET / HT");
    const auto start = std::chrono::steady_clock::now();
    server->stop();
    EXPECT_LT(std::chrono::steady_clock::now() - start, 1s);
    EXPECT_TRUE(exchange->left().stop_requested());
    EXPECT_EQ(server->counts().open, 0U);
    EXPECT_TRUE(waiting.is_closed_within(5s));
    EXPECT_TRUE(partial.is_closed_within(5s));
    server->drain();
    server->stop();
}

}  // namespace
}  // namespace decant::net
