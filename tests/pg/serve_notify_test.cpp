// What systemd hears of `decant serve` as a service of Type=notify.

#include <gtest/gtest.h>

#include <csignal>

#include "tests/support/raw_client.hpp"
#include "tests/support/schema_case.hpp"
#include "tests/support/serve_case.hpp"
#include "tests/support/service_socket.hpp"

namespace decant::test {
namespace {

TEST(ServeNotify, SaysWhenItListensReloadsAndStops) {
    const SchemaCase with;
    const std::string path = (with.decant().folder() / "notify").string();
    const ServiceSocket systemd{path};
    ServedDecant server{with.decant(), {"NOTIFY_SOCKET=" + path, "DECANT_EMBEDDER=none"}};
    EXPECT_EQ(systemd.next(), "READY=1");
    RawClient client{server.port()};
    client.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    EXPECT_EQ(client.read_answer()->status, 200);
    server.process().signal(SIGHUP);
    EXPECT_EQ(systemd.next(), "RELOADING=1");
    EXPECT_EQ(systemd.next(), "READY=1");
    server.process().signal(SIGTERM);
    EXPECT_EQ(systemd.next(), "STOPPING=1");
    EXPECT_EQ(server.process().wait().exit_code, 0);
}

}  // namespace
}  // namespace decant::test
