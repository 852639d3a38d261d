#include "api/event_stream.hpp"

#include <gtest/gtest.h>

#include "tests/support/plain_server.hpp"
#include "tests/support/raw_client.hpp"

namespace decant::api {
namespace {

using namespace std::chrono_literals;

/// What a client has until `end` comes.
std::string read_until(test::RawClient& client, std::string_view end) {
    std::string text;
    while (text.find(end) == std::string::npos) {
        const std::string more = client.read(1);
        if (more.empty()) return text;
        text += more;
    }
    return text;
}

TEST(EventStream, SendsACommentInSilence) {
    test::HeldExchanges held;
    const auto server = test::serve(held.handle());
    test::RawClient client{server->port()};
    client.send(test::get);
    const auto exchange = held.next();
    EventStream stream{*exchange, {}, std::stop_token{}, 10ms};
    ASSERT_TRUE(stream.send("1", "{}"));
    const std::string text = read_until(client, ": still here\n\n");
    EXPECT_NE(text.find("id: 1\ndata: {}\n\n"), std::string::npos) << text;
    EXPECT_NE(text.find(": still here\n\n"), std::string::npos) << text;
    EXPECT_NE(read_until(client, ": still here\n\n"), "") << "and again";
}

TEST(EventStream, TellsOnceThatTheServerEnds) {
    test::HeldExchanges held;
    const auto server = test::serve(held.handle());
    test::RawClient client{server->port()};
    client.send(test::get);
    const auto exchange = held.next();
    std::stop_source draining;
    draining.request_stop();
    EventStream stream{*exchange, {}, draining.get_token(), 10ms};
    EXPECT_NE(read_until(client, ": still here\n\n").find("event: shutdown\nretry: 1000\n"), std::string::npos);
    EXPECT_EQ(read_until(client, ": still here\n\n").find("shutdown"), std::string::npos);
}

}  // namespace
}  // namespace decant::api
