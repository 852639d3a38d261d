// What a server does with clients that are slow, many or silent.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <deque>
#include <fstream>
#include <functional>
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

TEST(HttpServerLimits, EndAHeadThatDoesNotComeToItsEnd) {
    const auto server = serve(test::echo, {.header_timeout = 50ms});
    RawClient client{server->port()};
    client.send("GET / HTTP/1.1\r\nHo");
    EXPECT_EQ(client.read_answer().value().status, 408);
    EXPECT_FALSE(client.read_answer());
    EXPECT_EQ(server->counts().refused, 1U);
}

TEST(HttpServerLimits, EndAHeadThatComesByDrops) {
    const auto server = serve(test::echo, {.header_timeout = 100ms});
    RawClient client{server->port()};
    std::jthread drops{[&](const std::stop_token& stop) {
        client.send("GET / HTTP/1.1\r\nX-A: ");
        while (!stop.stop_requested() && client.send("b"))
            std::this_thread::sleep_for(5ms);
    }};
    EXPECT_EQ(client.read_answer().value().status, 408);
}

TEST(HttpServerLimits, CloseSilentlyWhoSendsNothing) {
    const auto server = serve(test::echo, {.header_timeout = 50ms, .idle_timeout = 50ms});
    RawClient silent{server->port()};
    EXPECT_EQ(silent.read_to_end(), "");
    RawClient idle{server->port()};
    EXPECT_EQ(status_of(idle), 200);
    EXPECT_EQ(idle.read_to_end(), "");
    EXPECT_EQ(server->counts().refused, 0U);
    EXPECT_TRUE(eventually(5s, [&] { return server->counts().open == 0; }));
}

TEST(HttpServerLimits, LetAConnectionBeIdleLongerThanAHeadMayTake) {
    const auto server = serve(test::echo, {.header_timeout = 20ms, .idle_timeout = 20s});
    RawClient client{server->port()};
    EXPECT_EQ(status_of(client), 200);
    EXPECT_FALSE(client.is_closed_within(100ms));
    EXPECT_EQ(status_of(client), 200);
}

TEST(HttpServerLimits, EndABodyThatStops) {
    const auto server = serve(test::echo, {.body_timeout = 50ms});
    for (const std::string_view start : {"Content-Length: 5\r\n\r\nab", "Transfer-Encoding: chunked\r\n\r\n5\r\nab"}) {
        RawClient client{server->port()};
        client.send("POST / HTTP/1.1\r\nHost: a\r\n" + std::string{start});
        EXPECT_EQ(client.read_answer().value().status, 408);
    }
}

TEST(HttpServerLimits, EndABodyThatComesByDrops) {
    const auto server = serve(test::echo, {.body_timeout = 10s, .body_total = 100ms});
    RawClient client{server->port()};
    std::jthread drops{[&](const std::stop_token& stop) {
        client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n");
        while (!stop.stop_requested() && client.send("b"))
            std::this_thread::sleep_for(5ms);
    }};
    EXPECT_EQ(client.read_answer().value().status, 408);
}

TEST(HttpServerLimits, EndAnAnswerThatNobodyReads) {
    const auto server =
        serve([](const ExchangePtr& exchange) { exchange->reply({.body = std::string(16UL << 20U, 'x')}); },
              {.write_timeout = 50ms});
    RawClient stalled = RawClient::with_small_window(server->port());
    stalled.send(get);
    EXPECT_TRUE(eventually(10s, [&] { return server->counts().accepted == 1 && server->counts().open == 0; }));
}

TEST(HttpServerLimits, LetSlowClientsHoldUpNobody) {
    const auto server = serve(test::echo);
    std::deque<RawClient> slow;
    for (int number = 0; number < 200; ++number) {
        slow.emplace_back(server->port())
            .send(number % 2 == 0 ? "GET / HTTP/1.1\r\nHo"
                                  : "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nab");
    }
    RawClient client{server->port()};
    const auto start = std::chrono::steady_clock::now();
    for (int request = 0; request < 100; ++request)
        ASSERT_EQ(status_of(client), 200);
    EXPECT_LT(std::chrono::steady_clock::now() - start, 5s);
}

TEST(HttpServerLimits, CloseASlowBodyForANewConnection) {
    const auto server = serve(test::echo, {.most_connections = 2});
    std::deque<RawClient> slow;
    for (std::uint64_t number = 1; number <= 2; ++number) {
        slow.emplace_back(server->port()).send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nx");
        ASSERT_TRUE(eventually(5s, [&] { return server->counts().open == number && server->counts().idle == 0; }));
    }
    RawClient newcomer{server->port()};
    newcomer.send(get);
    EXPECT_EQ(newcomer.read_answer().value().status, 200);
    EXPECT_EQ(slow.front().read_to_end(), "");
    EXPECT_EQ(server->counts().closed_for_room, 1U);
}

TEST(HttpServerLimits, CloseTheSlowestBodyWhereAllTakeTooMuchMemory) {
    const auto server = serve(test::echo, {.most_bodies_bytes = 2'000});
    const std::string head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1600\r\n\r\n";
    RawClient first{server->port()};
    first.send(head + std::string(1'500, 'x'));
    RawClient second{server->port()};
    ASSERT_TRUE(eventually(5s, [&] { return server->counts().open == 2; }));
    second.send(head + std::string(1'500, 'x'));
    EXPECT_EQ(first.read_to_end(), "");
    second.send(std::string(100, 'x'));
    EXPECT_EQ(second.read_answer().value().status, 200);
    RawClient third{server->port()};
    third.send(head + std::string(1'600, 'x'));
    EXPECT_EQ(third.read_answer().value().status, 200) << "the memory of those before is given back";
    EXPECT_EQ(server->counts().closed_for_room, 1U);
}

TEST(HttpServerLimits, CloseTheLongestIdleConnectionForANewOne) {
    HeldExchanges held;
    const auto server = serve(held.handle(), {.most_connections = 3});
    RawClient busy{server->port()};
    busy.send(get);
    const ExchangePtr exchange = held.next();
    std::deque<RawClient> idle;
    for (int number = 0; number < 2; ++number) {
        idle.emplace_back(server->port()).send(get);
        held.next()->reply({});
        EXPECT_EQ(idle.back().read_answer().value().status, 200);
        ASSERT_TRUE(eventually(5s, [&] { return server->counts().idle == static_cast<std::uint64_t>(number) + 1; }));
    }
    RawClient newcomer{server->port()};
    newcomer.send(get);
    held.next()->reply({});
    EXPECT_EQ(newcomer.read_answer().value().status, 200);
    EXPECT_EQ(idle[0].read_to_end(), "");
    idle[1].send(get);
    held.next()->reply({});
    EXPECT_EQ(idle[1].read_answer().value().status, 200);
    exchange->reply({});
    EXPECT_EQ(busy.read_answer().value().status, 200) << "one that is busy is not closed";
    EXPECT_EQ(server->counts().closed_for_room, 1U);
}

TEST(HttpServerLimits, LetNewConnectionsWaitWhileAllAreBusy) {
    HeldExchanges held;
    const auto server = serve(held.handle(), {.most_connections = 1});
    RawClient busy{server->port()};
    busy.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    const ExchangePtr exchange = held.next();
    RawClient waiting{server->port()};
    waiting.send(get);
    exchange->reply({});
    EXPECT_EQ(busy.read_answer().value().status, 200);
    EXPECT_FALSE(busy.read_answer());
    busy.half_close();
    held.next()->reply({});
    EXPECT_EQ(waiting.read_answer().value().status, 200);
}

std::size_t resident_bytes(pid_t process) {
    std::ifstream file{"/proc/" + std::to_string(process) + "/statm"};
    std::size_t all = 0;
    std::size_t resident = 0;
    file >> all >> resident;
    return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

/// A server in a process of its own, so that its memory, time and files are nobody else's. It answers /hold once the
/// client has left.
class ServerProcess {
public:
    /// `most_files`: RLIMIT_NOFILE; 0: as it is.
    explicit ServerProcess(rlim_t most_files = 0) {
        EXPECT_EQ(::pipe(ports_.data()), 0);
        EXPECT_EQ(::pipe(life_.data()), 0);
        process_ = ::fork();
        if (process_ == 0) run(most_files);
        ::close(life_[0]);
        EXPECT_EQ(::read(ports_[0], &port_, sizeof port_), static_cast<ssize_t>(sizeof port_));
    }
    ServerProcess(const ServerProcess&) = delete;
    ServerProcess& operator=(const ServerProcess&) = delete;
    ~ServerProcess() {
        ::close(life_[1]);
        int status = 0;
        ::waitpid(process_, &status, 0);
        EXPECT_EQ(status, 0);
        ::close(ports_[0]);
        ::close(ports_[1]);
    }

    std::uint16_t port() const noexcept { return port_; }
    std::size_t resident() const { return resident_bytes(process_); }
    std::chrono::milliseconds processor_time() const {
        std::ifstream file{"/proc/" + std::to_string(process_) + "/stat"};
        std::string field;
        for (int skipped = 0; skipped < 13; ++skipped)
            file >> field;
        long user = 0;
        long system = 0;
        file >> user >> system;
        return std::chrono::milliseconds{(user + system) * 1000 / ::sysconf(_SC_CLK_TCK)};
    }

private:
    [[noreturn]] void run(rlim_t most_files) {
        ::close(life_[1]);
        if (most_files > 0) {
            const rlimit limit{.rlim_cur = most_files, .rlim_max = most_files};
            ::setrlimit(RLIMIT_NOFILE, &limit);
        }
        std::deque<std::stop_callback<std::function<void()>>> held;
        {
            const auto server = serve([&](const ExchangePtr& exchange) {
                if (exchange->request().target != "/hold") return test::echo(exchange);
                held.emplace_back(exchange->left(), [exchange] { exchange->reply({}); });
            });
            const std::uint16_t port = server->port();
            if (::write(ports_[1], &port, sizeof port) < 0) ::_exit(1);
            char nothing = 0;
            while (::read(life_[0], &nothing, 1) > 0) {
            }
        }
        ::_exit(0);
    }

    std::array<int, 2> ports_{};
    std::array<int, 2> life_{};
    pid_t process_ = -1;
    std::uint16_t port_ = 0;
};

// Sanitizers keep what is freed.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define DECANT_KEEPS_WHAT_IS_FREED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define DECANT_KEEPS_WHAT_IS_FREED
#endif
#endif

#ifndef DECANT_KEEPS_WHAT_IS_FREED
TEST(HttpServerLimits, GiveIdleConnectionsNextToNoMemory) {
    const ServerProcess server;
    RawClient first{server.port()};
    EXPECT_EQ(status_of(first), 200);
    const std::size_t before = server.resident();
    const std::string request =
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 12000\r\n\r\n" + std::string(12'000, 'x');
    std::deque<RawClient> idle;
    for (int number = 0; number < 2'000; ++number) {
        idle.emplace_back(server.port()).send(request);
        ASSERT_EQ(idle.back().read_answer().value().status, 200);
    }
    EXPECT_LE((server.resident() - before) / idle.size(), 4'096U);
    EXPECT_EQ(status_of(first), 200);
}
#endif

TEST(HttpServerLimits, GoOnWhenNoFileIsLeft) {
    const ServerProcess server{40};
    std::deque<RawClient> idle;
    for (int number = 0; number < 100; ++number)
        EXPECT_EQ(status_of(idle.emplace_back(server.port())), 200) << "the longest idle ones make room";
    std::deque<RawClient> busy;
    for (int number = 0; number < 60; ++number)
        busy.emplace_back(server.port()).send("GET /hold HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(busy.back().read_to_end(), "") << "turned away, for all others are busy";
    const auto start = server.processor_time();
    EXPECT_FALSE(busy.front().is_closed_within(500ms));
    EXPECT_LT(server.processor_time() - start, 250ms);
    busy.clear();
    EXPECT_TRUE(eventually(10s, [&] {
        RawClient client{server.port()};
        return status_of(client) == 200;
    }));
}

}  // namespace
}  // namespace decant::net
