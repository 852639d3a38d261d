#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "core/child_process.hpp"
#include "core/error.hpp"
#include "net/http_client.hpp"
#include "net/http_server.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/http_stand_in.hpp"
#include "tests/support/plain_server.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/scratch_folder.hpp"

namespace decant::net {
namespace {

using namespace std::chrono_literals;
using test::RawClient;
using testing::HasSubstr;
using ExchangePtr = std::shared_ptr<Exchange>;

class HttpsServer : public testing::Test {
protected:
    HttpsServer() { test::make_certificate(folder_); }
    ~HttpsServer() override { std::filesystem::remove_all(folder_); }

    std::unique_ptr<HttpServer> serve(HttpServer::Handle handle, ServerSetup setup = {}) const {
        setup.certificate = (folder_ / "cert.pem").string();
        setup.private_key = (folder_ / "key.pem").string();
        return test::serve(std::move(handle), std::move(setup));
    }

    HttpClient client_of(const HttpServer& server, const std::string& ca_file = "cert.pem") const {
        const std::string url = "https://127.0.0.1:" + std::to_string(server.port());
        return HttpClient{{.name = "The server", .url = parse_url(url, "it"), .ca_file = (folder_ / ca_file).string()}};
    }

    /// What openssl's client says of a connection to `server`.
    static std::string handshake(const HttpServer& server, const std::string& version) {
        return run_program(
                   {.argv = {"/usr/bin/openssl", "s_client", "-connect", "127.0.0.1:" + std::to_string(server.port()),
                             version, "-cipher", "DEFAULT@SECLEVEL=0"}})
            .output;
    }

    std::filesystem::path folder_ = test::make_scratch_folder("https-server");
};

TEST_F(HttpsServer, AnswersOnOneConnection) {
    const auto server = serve(test::echo);
    HttpClient client = client_of(*server);
    for (int request = 0; request < 3; ++request)
        EXPECT_EQ(client.send({.path = "/x", .body = "{}"}).body, "POST /x {}");
    EXPECT_EQ(server->counts().accepted, 1U);
}

TEST_F(HttpsServer, MovesLargeBodiesBothWays) {
    const auto server = serve([](const ExchangePtr& exchange) {
        std::string all;
        for (int copy = 0; copy < 8; ++copy)
            all += exchange->request().body;
        exchange->reply({.body = std::move(all)});
    });
    HttpClient client = client_of(*server);
    std::string body(1'000'000, 'x');
    for (std::size_t at = 0; at < body.size(); ++at)
        body[at] = static_cast<char>('a' + at % 23);
    const std::string answer = client.send({.path = "/", .body = body}).body;
    ASSERT_EQ(answer.size(), 8 * body.size());
    EXPECT_EQ(answer.substr(7 * body.size()), body);
}

TEST_F(HttpsServer, Streams) {
    std::jthread writer;
    const auto server = serve([&](const ExchangePtr& exchange) {
        writer = std::jthread{[exchange] {
            exchange->begin_stream({.body = "0 "});
            for (int part = 1; part < 4; ++part)
                exchange->write(std::to_string(part) + " ");
            exchange->end_stream();
        }};
    });
    EXPECT_EQ(client_of(*server).send({.path = "/"}).body, "0 1 2 3 ");
}

TEST_F(HttpsServer, SpeaksNothingOlderThanTls12) {
    const auto server = serve(test::echo);
    EXPECT_THAT(handshake(*server, "-tls1_1"), HasSubstr("alert protocol version"));
    EXPECT_THAT(handshake(*server, "-tls1_2"), HasSubstr("Protocol  : TLSv1.2"));
    EXPECT_THAT(handshake(*server, "-tls1_3"), HasSubstr("TLSv1.3, Cipher is"));
}

TEST_F(HttpsServer, TakesANewCertificateForNewConnections) {
    const auto server = serve(test::echo);
    HttpClient old_client = client_of(*server, "old.pem");
    std::filesystem::copy(folder_ / "cert.pem", folder_ / "old.pem");
    EXPECT_EQ(old_client.send({.path = "/"}).status, 200);
    test::make_certificate(folder_);
    server->reload_certificate();
    EXPECT_EQ(client_of(*server).send({.path = "/"}).status, 200);
    EXPECT_EQ(old_client.send({.path = "/"}).status, 200) << "its connection goes on";
    EXPECT_THROW(client_of(*server, "old.pem").send({.path = "/"}), Error);
}

TEST_F(HttpsServer, KeepsItsCertificateWhenTheNewOneIsNone) {
    const auto server = serve(test::echo);
    std::filesystem::copy(folder_ / "cert.pem", folder_ / "old.pem");
    std::filesystem::remove(folder_ / "key.pem");
    EXPECT_THROW(server->reload_certificate(), Error);
    EXPECT_EQ(client_of(*server, "old.pem").send({.path = "/"}).status, 200);
}

TEST_F(HttpsServer, DoesNotStartWithAKeyOfAnotherCertificate) {
    const std::filesystem::path other = folder_ / "other";
    std::filesystem::create_directory(other);
    test::make_certificate(other);
    const auto why = [&](const std::filesystem::path& certificate, const std::filesystem::path& key) -> std::string {
        try {
            test::serve(test::echo, {.certificate = certificate.string(), .private_key = key.string()});
        } catch (const Error& error) {
            return error.code() == ErrorCode::config_invalid ? error.happened() : "another code";
        }
        return "no error";
    };
    EXPECT_THAT(why(folder_ / "cert.pem", other / "key.pem"), HasSubstr("key.pem cannot be used with the certificate"));
    EXPECT_THAT(why(folder_ / "none.pem", folder_ / "key.pem"), HasSubstr("none.pem cannot be used"));
    EXPECT_THAT(why(folder_ / "cert.pem", ""), HasSubstr("only one of the two"));
}

TEST_F(HttpsServer, EndsHandshakesThatDoNotComeToTheirEnd) {
    const auto server = serve(test::echo, {.header_timeout = 100ms});
    RawClient silent{server->port()};
    EXPECT_EQ(silent.read_to_end(), "");
    RawClient partial{server->port()};
    partial.send(std::string_view{"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11});
    EXPECT_TRUE(partial.is_closed_within(10s));
    RawClient plain{server->port()};
    plain.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_TRUE(plain.is_closed_within(10s));
    EXPECT_EQ(client_of(*server).send({.path = "/"}).status, 200);
}

TEST_F(HttpsServer, DrainsAndStops) {
    auto server = serve(test::echo);
    HttpClient client = client_of(*server);
    EXPECT_EQ(client.send({.path = "/"}).status, 200);
    server->drain();
    EXPECT_EQ(client.send({.path = "/"}).headers.at("connection"), "close");
    EXPECT_TRUE(server->wait_drained(5s));
}

}  // namespace
}  // namespace decant::net
