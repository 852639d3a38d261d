// Raw requests of every shape, most of them wrong: what the server answers, and that it goes on to serve others.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "net/http_head.hpp"
#include "net/http_server.hpp"
#include "tests/support/plain_server.hpp"
#include "tests/support/raw_client.hpp"

namespace decant::net {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using test::RawClient;

constexpr std::size_t most_body = 1'000;

std::string with_headers(const std::string& headers, const std::string& body = {}) {
    return "POST /x HTTP/1.1\r\nHost: a\r\n" + headers + "\r\n" + body;
}

std::string chunked(const std::string& body) {
    return with_headers("Transfer-Encoding: chunked\r\n", body);
}

std::string with_target(const std::string& target) {
    return "GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n";
}

std::string many(std::size_t count, const std::string& text) {
    std::string all;
    for (std::size_t number = 0; number < count; ++number)
        all += text;
    return all;
}

struct Row {
    std::string name;
    std::string bytes;
    std::vector<int> statuses;  ///< of all answers, in order; after one that is no 200 the connection ends
};

const std::vector<Row> rows{
    // What is right.
    {"plain", with_target("/"), {200}},
    {"http_1_0_without_host", "GET / HTTP/1.0\r\n\r\n", {200}},
    {"unknown_method", "BREW /pot HTTP/1.1\r\nHost: a\r\n\r\n", {200}},
    {"no_space_after_colon", "GET / HTTP/1.1\r\nHost:a\r\n\r\n", {200}},
    {"tab_around_value", "GET / HTTP/1.1\r\nHost:\ta\t\r\n\r\n", {200}},
    {"ipv6_host", "GET / HTTP/1.1\r\nHost: [::1]:8000\r\n\r\n", {200}},
    {"empty_value", with_headers("X-Empty:\r\n"), {200}},
    {"utf8_in_value", with_headers("X-Name: caf\xc3\xa9\r\n"), {200}},
    {"length_zero", with_headers("Content-Length: 0\r\n"), {200}},
    {"length_with_leading_zeros", with_headers("Content-Length: 0002\r\n", "ab"), {200}},
    {"chunked_in_capitals", with_headers("TRANSFER-ENCODING: Chunked\r\n", "0\r\n\r\n"), {200}},
    {"chunk_size_in_capitals", chunked("A\r\n0123456789\r\n0\r\n\r\n"), {200}},
    {"chunk_with_extension", chunked("2;a=\"b;c\"\r\nab\r\n0;z\r\n\r\n"), {200}},
    {"chunk_size_with_zeros", chunked("0000002\r\nab\r\n000\r\n\r\n"), {200}},
    {"trailers", chunked("0\r\nX-Sum: 1\r\nX-Other: 2\r\n\r\n"), {200}},
    {"content_encoding_identity", with_headers("Content-Encoding: identity\r\n"), {200}},
    {"target_of_the_limit", with_target("/" + std::string(8 * 1024 - 1, 'a')), {200}},
    {"100_headers", with_headers(many(99, "X-A: b\r\n")), {200}},
    {"pipelined", with_target("/1") + with_target("/2") + with_target("/3"), {200, 200, 200}},
    {"pipelined_after_a_body", with_headers("Content-Length: 2\r\n", "ab") + with_target("/2"), {200, 200}},
    {"wrong_after_right", with_target("/1") + "GARBAGE\r\n\r\n" + with_target("/3"), {200, 400}},

    // The request line.
    {"empty_line_first", "\r\n" + with_target("/"), {400}},
    {"no_version", "GET /\r\nHost: a\r\n\r\n", {400}},
    {"no_target", "GET HTTP/1.1\r\nHost: a\r\n\r\n", {400}},
    {"two_spaces", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", {400}},
    {"space_after_version", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", {400}},
    {"space_in_target", with_target("/a b"), {400}},
    {"tab_in_request_line", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", {400}},
    {"method_with_brackets", "G[T / HTTP/1.1\r\nHost: a\r\n\r\n", {400}},
    {"lower_case_version", "GET / http/1.1\r\nHost: a\r\n\r\n", {400}},
    {"version_with_many_digits", "GET / HTTP/1.10\r\nHost: a\r\n\r\n", {400}},
    {"http_2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {505}},
    {"http_1_2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", {505}},
    {"http_0_9", "GET / HTTP/0.9\r\nHost: a\r\n\r\n", {505}},
    {"absolute_target", with_target("http://a/"), {400}},
    {"asterisk", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", {400}},
    {"authority", "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", {400}},
    {"no_slash", with_target("x"), {400}},
    {"fragment", with_target("/#top"), {400}},
    {"byte_over_127_in_target", with_target("/caf\xc3\xa9"), {400}},
    {"percent_alone", with_target("/%"), {400}},
    {"percent_and_one_digit", with_target("/%4"), {400}},
    {"percent_and_no_digits", with_target("/%zz"), {400}},
    {"encoded_nul", with_target("/a%00b"), {400}},
    {"target_too_long", with_target("/" + std::string(8 * 1024, 'a')), {414}},
    {"target_without_end", "GET /" + std::string(20'000, 'a'), {414}},

    // Bytes that have no place in a head.
    {"nul_in_target", with_target("/a\0b"s), {400}},
    {"nul_in_value", with_headers("X-A: b\0c\r\n"s), {400}},
    {"nul_in_name", with_headers("X\0A: b\r\n"s), {400}},
    {"control_in_value", with_headers("X-A: b\x0b\r\n"), {400}},
    {"delete_in_value", with_headers("X-A: b\x7f\r\n"), {400}},
    {"bare_lf_everywhere", "GET / HTTP/1.1\nHost: a\n\n", {400}},
    {"bare_lf_once", "GET / HTTP/1.1\r\nHost: a\nX-A: b\r\n\r\n", {400}},
    {"bare_cr", "GET / HTTP/1.1\r\nHost: a\rX-A: b\r\n\r\n", {400}},
    {"cr_cr_lf", "GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", {400}},
    {"tls_hello", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"s, {400}},
    {"only_nul", std::string(100, '\0'), {400}},

    // Headers.
    {"no_host", "GET / HTTP/1.1\r\n\r\n", {400}},
    {"two_hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", {400}},
    {"two_hosts_in_http_1_0", "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", {400}},
    {"empty_host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", {400}},
    {"host_with_path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", {400}},
    {"host_with_user", "GET / HTTP/1.1\r\nHost: b@a\r\n\r\n", {400}},
    {"host_list", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", {400}},
    {"folded_header", with_headers("X-A: b\r\n c\r\n"), {400}},
    {"folded_first_header", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", {400}},
    {"space_before_colon", with_headers("Content-Length : 0\r\n"), {400}},
    {"space_in_name", with_headers("X A: b\r\n"), {400}},
    {"no_colon", with_headers("X-A\r\n"), {400}},
    {"no_name", with_headers(": b\r\n"), {400}},
    {"name_in_utf8", with_headers("X-\xc3\xa9: b\r\n"), {400}},
    {"101_headers", with_headers(many(100, "X-A: b\r\n")), {431}},
    {"1000_headers", with_headers(many(1'000, "X-A: b\r\n")), {431}},
    {"head_too_long", with_headers("X-A: " + std::string(17'000, 'b') + "\r\n"), {431}},
    {"head_without_end", with_headers("X-A: " + std::string(40'000, 'b')), {431}},
    {"gzip_body", with_headers("Content-Encoding: gzip\r\nContent-Length: 2\r\n", "ab"), {415}},
    {"unknown_expectation", with_headers("Expect: payment\r\n"), {417}},

    // Where the body ends.
    {"two_lengths", with_headers("Content-Length: 2\r\nContent-Length: 3\r\n", "abc"), {400}},
    {"two_equal_lengths", with_headers("Content-Length: 2\r\nContent-Length: 2\r\n", "ab"), {400}},
    {"length_list", with_headers("Content-Length: 2, 2\r\n", "ab"), {400}},
    {"negative_length", with_headers("Content-Length: -1\r\n"), {400}},
    {"length_with_plus", with_headers("Content-Length: +2\r\n", "ab"), {400}},
    {"hexadecimal_length", with_headers("Content-Length: 0x2\r\n", "ab"), {400}},
    {"empty_length", with_headers("Content-Length:\r\n"), {400}},
    {"length_over_the_limit", with_headers("Content-Length: 1001\r\n"), {413}},
    {"length_over_64_bits", with_headers("Content-Length: 99999999999999999999\r\n"), {413}},
    {"length_and_chunked", with_headers("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), {400}},
    {"chunked_and_length", with_headers("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n"), {400}},
    {"chunked_twice", with_headers("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), {400}},
    {"chunked_chunked", with_headers("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n"), {400}},
    {"chunked_in_http_1_0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", {400}},
    {"gzip_chunked", with_headers("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"), {501}},
    {"identity_encoding", with_headers("Transfer-Encoding: identity\r\n"), {501}},
    {"x_chunked", with_headers("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"), {501}},
    {"chunked_in_quotes", with_headers("Transfer-Encoding: \"chunked\"\r\n", "0\r\n\r\n"), {400}},
    {"empty_encoding", with_headers("Transfer-Encoding:\r\n"), {400}},
    {"chunked_with_comma", with_headers("Transfer-Encoding: chunked,\r\n", "0\r\n\r\n"), {400}},
    {"chunked_with_vertical_tab",
     with_headers("Transfer-Encoding:\x0b"
                  "chunked\r\n",
                  "0\r\n\r\n"),
     {400}},

    // Chunks.
    {"chunk_size_no_number", chunked("zz\r\n\r\n"), {400}},
    {"chunk_size_negative", chunked("-2\r\nab\r\n0\r\n\r\n"), {400}},
    {"chunk_size_with_0x", chunked("0x2\r\nab\r\n0\r\n\r\n"), {400}},
    {"chunk_size_with_space_first", chunked(" 2\r\nab\r\n0\r\n\r\n"), {400}},
    {"chunk_size_over_64_bits", chunked("10000000000000002\r\nab\r\n0\r\n\r\n"), {400}},
    {"chunk_size_empty", chunked("\r\nab\r\n0\r\n\r\n"), {400}},
    {"chunk_longer_than_its_size", chunked("2\r\nabc\r\n0\r\n\r\n"), {400}},
    {"chunk_ends_with_lf", chunked("2\r\nab\n0\r\n\r\n"), {400}},
    {"chunk_size_ends_with_lf", chunked("2\nab\r\n0\r\n\r\n"), {400}},
    {"chunk_size_ends_with_cr", chunked("2\rab\r\n0\r\n\r\n"), {400}},
    {"chunk_over_the_limit", chunked("3e9\r\n"), {413}},
    {"chunk_near_64_bits", chunked("ffffffffffffffff\r\n"), {413}},
    {"chunks_over_the_limit", chunked(many(501, "2\r\nab\r\n")), {413}},
    {"chunk_extensions_without_end", chunked("2;" + std::string(40'000, 'a')), {400}},
    {"chunk_extensions_everywhere",
     chunked(many(500, "1;" + std::string(100, 'a') + "\r\nb\r\n") + "0\r\n\r\n"),
     {400}},
    {"trailers_without_end", chunked("0\r\n" + many(5'000, "X-A: b\r\n")), {400}},
    {"trailer_without_colon", chunked("0\r\nX-A\r\n\r\n"), {400}},

    // What a second reader on the way could take for another request.
    {"smuggled_by_length_and_chunked",
     with_headers("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
                  "1e\r\nGET /admin HTTP/1.1\r\nHost: a\r\n\r\n\r\n0\r\n\r\n"),
     {400}},
    {"smuggled_by_space", with_headers("Transfer-Encoding : chunked\r\nContent-Length: 3\r\n", "0\r\n"), {400}},
    {"smuggled_by_fold", with_headers("X-A: b\r\n\tTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), {400}},
    {"smuggled_by_bare_cr", with_headers("X-A: b\rTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), {400}},
    {"smuggled_in_a_get",
     "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 39\r\n\r\nGET /admin HTTP/1.1\r\nHost: evil.com\r\n\r\n",
     {200}},
    {"smuggled_by_chunk_extension", chunked("2;a\nb\r\nab\r\n0\r\n\r\n"), {400}},
};

class HttpRequests : public testing::TestWithParam<Row> {
protected:
    static void SetUpTestSuite() { server = test::serve(test::echo, {.most_body_bytes = most_body}).release(); }
    static void TearDownTestSuite() { delete std::exchange(server, nullptr); }

    static HttpServer* server;
};

HttpServer* HttpRequests::server = nullptr;

TEST_P(HttpRequests, GetTheirStatusAndHarmNobody) {
    RawClient client{server->port()};
    client.send(GetParam().bytes);
    client.half_close();
    std::vector<int> statuses;
    while (const auto answer = client.read_answer())
        statuses.push_back(answer->status);
    EXPECT_EQ(statuses, GetParam().statuses);
    RawClient other{server->port()};
    other.send(with_target("/alive"));
    EXPECT_EQ(other.read_answer().value().body, "GET /alive ");
}

TEST_P(HttpRequests, GetTheSameStatusByteByByte) {
    RawClient client{server->port()};
    const std::string_view bytes = GetParam().bytes;
    const std::size_t singly = std::min<std::size_t>(bytes.size(), 3'000);
    for (const char byte : bytes.substr(0, singly))
        client.send({&byte, 1});
    client.send(bytes.substr(singly));
    client.half_close();
    std::vector<int> statuses;
    while (const auto answer = client.read_answer())
        statuses.push_back(answer->status);
    EXPECT_EQ(statuses, GetParam().statuses);
}

INSTANTIATE_TEST_SUITE_P(Rows, HttpRequests, testing::ValuesIn(rows), [](const auto& row) { return row.param.name; });

TEST(HttpRequest, OfTheSizeOfTheLimitsIsTakenWhole) {
    const std::string start = "GET / HTTP/1.1\r\nHost: a\r\nX-A: ";
    const HeadLimits limits{.most_bytes = 1'000};
    const std::string head = start + std::string(1'000 - start.size() - 4, 'b') + "\r\n\r\n";
    EXPECT_FALSE(check_head(head, limits));
    EXPECT_EQ(check_head("G" + head, limits)->status, 431);
}

TEST(HttpRequest, OfWhichAPartIsThereIsRefusedAsSoonAsItIsWrong) {
    const std::string head = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";
    for (std::size_t bytes = 0; bytes <= head.size(); ++bytes)
        EXPECT_FALSE(check_part_of_head(head.substr(0, bytes))) << bytes;
    EXPECT_EQ(check_part_of_head("GET /a HTTP/1.1\n")->status, 400);
    EXPECT_EQ(check_part_of_head("\r")->status, 400);
}

}  // namespace
}  // namespace decant::net
