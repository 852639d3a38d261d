#include "api/client_address.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"

namespace decant::api {
namespace {

net::ServerRequest request_of(std::string peer, std::vector<std::string> forwarded = {}) {
    net::ServerRequest request{.peer = std::move(peer)};
    for (std::string& value : forwarded)
        request.headers.emplace_back("x-forwarded-for", std::move(value));
    return request;
}

std::string client(std::string peer, std::vector<std::string> forwarded,
                   std::string_view trusted = "10.0.0.0/8, fd00::/8") {
    return client_address(request_of(std::move(peer), std::move(forwarded)), parse_ranges(trusted, "TRUSTED"));
}

TEST(ClientAddress, IsThePeerUnlessThatIsATrustedProxy) {
    EXPECT_EQ(client("203.0.113.9", {"1.1.1.1"}), "203.0.113.9");
    EXPECT_EQ(client("203.0.113.9", {"1.1.1.1"}, ""), "203.0.113.9");
    EXPECT_EQ(client("127.0.0.1", {"1.1.1.1"}), "127.0.0.1");
    EXPECT_EQ(client("10.0.0.1", {}), "10.0.0.1");
}

TEST(ClientAddress, IsTheLastOneThatIsNoTrustedProxy) {
    EXPECT_EQ(client("10.0.0.1", {"1.1.1.1"}), "1.1.1.1");
    EXPECT_EQ(client("10.0.0.1", {"6.6.6.6, 1.1.1.1"}), "1.1.1.1") << "the first is what the client says of itself";
    EXPECT_EQ(client("10.0.0.1", {"6.6.6.6, 1.1.1.1, 10.2.3.4"}), "1.1.1.1");
    EXPECT_EQ(client("10.0.0.1", {"6.6.6.6", "1.1.1.1,10.2.3.4"}), "1.1.1.1") << "several headers are one list";
    EXPECT_EQ(client("10.0.0.1", {"10.9.9.9, 10.2.3.4"}), "10.9.9.9") << "all are trusted";
    EXPECT_EQ(client("fd00::1", {"2001:db8::7"}), "2001:db8::7");
    EXPECT_EQ(client("::ffff:10.0.0.1", {"1.1.1.1"}), "1.1.1.1");
    EXPECT_EQ(client("10.0.0.1", {"nonsense, 1.1.1.1"}), "1.1.1.1") << "nobody asks what stands before it";
}

TEST(ClientAddress, IsThePeerWhereTheHeaderIsMalformed) {
    for (const char* value : {"", ",", " ", "1.1.1.1,", "unknown", "1.1.1.1:80", "[2001:db8::7]", "1.1.1", "1.1.1.1.1",
                              "1.1.1.256", "01.1.1.1", "1.1.1.1 2.2.2.2", "1.1.1.1%eth0", "::g", "localhost"})
        EXPECT_EQ(client("10.0.0.1", {value}), "10.0.0.1") << '"' << value << '"';
    EXPECT_EQ(client("10.0.0.1", {std::string{"1.1.1.1\0", 8}}), "10.0.0.1");
}

TEST(ClientAddress, CountsIpv6ByItsNetwork) {
    const auto key = [](std::string_view text) { return Address::parse(text)->limit_key(); };
    EXPECT_EQ(key("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
    EXPECT_EQ(key("2001:db8:1:2::"), key("2001:db8:1:2:ffff::1"));
    EXPECT_NE(key("2001:db8:1:3::"), key("2001:db8:1:2::"));
    EXPECT_EQ(key("203.0.113.9"), "203.0.113.9");
    EXPECT_EQ(key("::ffff:203.0.113.9"), "203.0.113.9");
    EXPECT_EQ(key("fe80::1%eth0"), "fe80::/64");
}

TEST(ClientAddress, KnowsLoopback) {
    for (const char* text : {"127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"})
        EXPECT_TRUE(Address::parse(text)->is_loopback()) << text;
    for (const char* text : {"128.0.0.1", "::2", "::", "0.0.0.0", "1::1"})
        EXPECT_FALSE(Address::parse(text)->is_loopback()) << text;
}

TEST(AddressRanges, HoldTheAddressesWithTheSameFirstBits) {
    const auto holds = [](std::string_view range, std::string_view address) {
        return parse_ranges(range, "TRUSTED").at(0).contains(*Address::parse(address));
    };
    EXPECT_TRUE(holds("10.1.2.3", "10.1.2.3"));
    EXPECT_FALSE(holds("10.1.2.3", "10.1.2.4"));
    EXPECT_TRUE(holds("172.16.0.0/12", "172.31.255.255"));
    EXPECT_FALSE(holds("172.16.0.0/12", "172.32.0.0"));
    EXPECT_TRUE(holds("2001:db8::/33", "2001:db8:7fff::"));
    EXPECT_FALSE(holds("2001:db8::/33", "2001:db8:8000::"));
    EXPECT_TRUE(holds("::1/128", "::1"));
    EXPECT_TRUE(holds("0.0.0.0/0", "8.8.8.8"));
    EXPECT_FALSE(holds("0.0.0.0/0", "::1"));
    EXPECT_FALSE(holds("::/0", "8.8.8.8"));
}

TEST(AddressRanges, AreRefusedByName) {
    for (const char* text : {"10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8x", "10.0.0/8", "proxy",
                             "/8", "10.0.0.0/8 10.0.0.1"}) {
        try {
            parse_ranges(text, "DECANT_TRUSTED_PROXIES");
            FAIL() << text;
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ErrorCode::config_invalid);
            EXPECT_THAT(error.happened(), testing::StartsWith("DECANT_TRUSTED_PROXIES has '"));
        }
    }
    EXPECT_TRUE(parse_ranges(" , ", "TRUSTED").empty());
}

TEST(HostName, IsWithoutPortAndBracketsInLowerCase) {
    EXPECT_EQ(host_name("LocalHost:8000"), "localhost");
    EXPECT_EQ(host_name("search.example"), "search.example");
    EXPECT_EQ(host_name("127.0.0.1:8000"), "127.0.0.1");
    EXPECT_EQ(host_name("[::1]:8000"), "::1");
    EXPECT_EQ(host_name("[::1]"), "::1");
    for (const char* text :
         {"", ":80", "localhost:80@evil", "localhost:8o", "[::1", "[::1]evil", "localhost:80:80", "::1"})
        EXPECT_EQ(host_name(text), "") << text;
}

TEST(Forwarded, IsWhatCarriesAProxysHeaders) {
    for (const char* name :
         {"forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "via"})
        EXPECT_TRUE(is_forwarded({.headers = {{"accept", "*/*"}, {name, ""}}})) << name;
    EXPECT_FALSE(is_forwarded({.headers = {{"host", "localhost"}, {"x-request-id", "1"}}}));
}

}  // namespace
}  // namespace decant::api
