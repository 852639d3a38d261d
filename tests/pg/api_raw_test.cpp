// Requests that no client should send, through the whole server: each gets a status that the API documents, none an
// error of the server, and the next client is served as ever.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "tests/support/api_case.hpp"
#include "tests/support/raw_client.hpp"

namespace decant::api {
namespace {

using namespace std::string_literals;

std::string repeated(std::string_view text, std::size_t count) {
    std::string all;
    for (std::size_t i = 0; i < count; ++i)
        all += text;
    return all;
}

std::string request(const std::string& line, const std::string& headers, const std::string& body = {}) {
    return line + " HTTP/1.1\r\nHost: localhost\r\n" + headers + "\r\n" + body;
}

std::string post(const std::string& path, const std::string& body, const std::string& headers = {}) {
    return request("POST " + path,
                   fmt::format("Content-Type: application/json\r\nContent-Length: {}\r\n", body.size()) + headers,
                   body);
}

std::string search(const std::string& body, const std::string& headers = {}) {
    return post("/api/v1/pgvector/search", body, headers);
}

std::string searched_by_chunks(const std::string& chunks, const std::string& headers = {}) {
    return request("POST /api/v1/pgvector/search",
                   "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n" + headers, chunks);
}

std::string get(const std::string& target, const std::string& headers = {}) {
    return request("GET " + target, headers);
}

std::string many_keys(std::size_t count) {
    std::string body = R"({"query": "a")";
    for (std::size_t i = 0; i < count; ++i)
        body += fmt::format(R"(,"k{}": 1)", i);
    return body + "}";
}

struct Row {
    std::string name;
    std::string bytes;
    int status;
};

const std::string good = R"({"query": "thing 5"})";
constexpr std::string_view chat = "/api/v1/chat/message";

const std::vector<Row> rows{
    {"right", search(good), 200},
    {"right_by_chunks", searched_by_chunks("14\r\n" + good + "\r\n0\r\n\r\n"), 200},

    // The body's end.
    {"length_and_chunked", searched_by_chunks("0\r\n\r\n", "Content-Length: 5\r\n"), 400},
    {"two_lengths", search(good, "Content-Length: 3\r\n"), 400},
    {"chunked_twice", searched_by_chunks("0\r\n\r\n", "Transfer-Encoding: chunked\r\n"), 400},
    {"unknown_coding", request("POST /api/v1/pgvector/search", "Transfer-Encoding: gzip, chunked\r\n"), 501},
    {"chunk_bomb_by_size", searched_by_chunks("ffffffff\r\n"), 413},
    {"chunk_bomb_by_number", searched_by_chunks(repeated("1000\r\n" + std::string(0x1000, 'a') + "\r\n", 260)), 413},
    {"chunk_bomb_by_extensions", searched_by_chunks("1;" + std::string(70'000, 'x')), 400},
    {"chunk_size_wrong", searched_by_chunks("0x5\r\nabcde\r\n0\r\n\r\n"), 400},
    {"gzip_bomb", search(good, "Content-Encoding: gzip\r\n"), 415},
    {"body_too_large", search(R"({"query": ")" + std::string(1'100'000, 'a') + "\"}"), 413},
    {"body_announced_too_large",
     request("POST /api/v1/pgvector/search", "Content-Type: application/json\r\nContent-Length: 99999999999\r\n"), 413},
    {"body_of_a_get", request("GET /healthz", "Content-Length: 2\r\n", "{}"), 400},

    // The head.
    {"two_hosts", "GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n", 400},
    {"foreign_host", "GET /api/v1/pgvector/health HTTP/1.1\r\nHost: evil.example\r\n\r\n", 403},
    {"foreign_origin", get("/api/v1/pgvector/health", "Origin: http://evil.example\r\n"), 403},
    {"forwarded", get("/api/v1/pgvector/health", "X-Forwarded-For: 203.0.113.7\r\n"), 401},
    {"forwarded_empty", get("/api/v1/pgvector/health", "X-Forwarded-For:\r\n"), 401},
    {"two_authorizations", get("/metrics", "Authorization: Bearer a\r\nAuthorization: Bearer b\r\n"), 200},
    {"two_content_types", search(good, "Content-Type: application/json\r\n"), 415},
    {"other_content_type",
     request("POST /api/v1/pgvector/search", "Content-Type: text/plain\r\nContent-Length: 2\r\n", "{}"), 415},
    {"1000_headers", get("/healthz", repeated("X-A: b\r\n", 1'000)), 431},
    {"header_too_long", get("/healthz", "X-A: " + std::string(20'000, 'b') + "\r\n"), 431},
    {"folded_header", get("/healthz", "X-A: b\r\n c\r\n"), 400},
    {"bare_lf", "GET /healthz HTTP/1.1\nHost: localhost\n\n", 400},
    {"nul_in_header", get("/healthz", "X-A: b\0c\r\n"s), 400},
    {"event_id_no_uuid",
     post("/api/v1/chat/message/stream", R"({"message": "hola", "user_id": "u"})",
          "Last-Event-ID: " + std::string(36, 'z') + ":1\r\n"),
     400},
    {"event_id_negative",
     post("/api/v1/chat/message/stream", R"({"message": "hola", "user_id": "u"})",
          "Last-Event-ID: 00000000-0000-0000-0000-000000000000:-0\r\n"),
     400},

    // The target.
    {"target_too_long", get("/" + std::string(9'000, 'a')), 414},
    {"nul_in_path", get("/a\0b"s), 400},
    {"encoded_nul_in_path", get("/api/v1/chat/session/%00"), 400},
    {"bad_percent", get("/healthz?a=%zz"), 400},
    {"query_no_utf8", get("/api/v1/chat/history?user_id=%ff"), 400},
    {"parameter_twice", get("/api/v1/chat/history?user_id=a&user_id=b"), 400},
    {"parameter_unknown", get("/healthz?a=1"), 400},
    {"no_uuid", get("/api/v1/pgvector/similar/%27%20OR%201=1"), 400},
    {"job_beyond_64_bits", get("/api/v1/pgvector/embeddings/batch/99999999999999999999"), 404},
    {"no_number", get("/api/v1/pgvector/embeddings/stale?limit=1e400"), 400},
    {"trace", "TRACE /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", 405},
    {"connect", "CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n", 400},
    {"http_2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},

    // JSON.
    {"empty_body", search(""), 400},
    {"no_json", search("query=a"), 400},
    {"cut_json", search(R"({"query": "a)"), 400},
    {"more_than_one_value", search(good + good), 400},
    {"trailing_comma", search(R"({"query": "a",})"), 400},
    {"comment", search(R"({"query": "a" /* b */})"), 400},
    {"byte_order_mark", search("\xef\xbb\xbf" + good), 400},
    {"nan", search(R"({"query": "a", "limit": NaN})"), 400},
    {"deep_arrays", search(repeated("[", 500'000)), 400},
    {"deep_objects", search(repeated(R"({"query":)", 100) + "1" + repeated("}", 100)), 400},
    {"deep_metadata",
     post(std::string{chat}, R"({"message": "a", "user_id": "u", "metadata": )" + repeated(R"({"a":)", 70) + "1" +
                                 repeated("}", 70) + "}"),
     400},
    {"keys_100_000", search(many_keys(90'000)), 413},
    {"keys_20_000", search(many_keys(20'000)), 400},
    {"duplicate_key", search(R"({"query": "a", "query": "b"})"), 400},
    {"duplicate_key_escaped", search(R"({"query": "a", "quer\u0079": "b"})"), 400},
    {"invalid_utf8", search("{\"query\": \"\xff\xfe\"}"), 400},
    {"overlong_utf8", search("{\"query\": \"\xc0\xaf\"}"), 400},
    {"surrogate_in_utf8", search("{\"query\": \"\xed\xa0\x80\"}"), 400},
    {"lone_high_surrogate", search(R"({"query": "\ud800"})"), 400},
    {"lone_low_surrogate", search(R"({"query": "\udc00 a"})"), 400},
    {"nul_escaped", search(R"({"query": "a\u0000b"})"), 400},
    {"nul_in_metadata", post(std::string{chat}, R"({"message": "a", "user_id": "u", "metadata": {"a": ["\u0000"]}})"),
     400},
    {"nul_raw", search("{\"query\": \"a\0b\"}"s), 400},
    {"number_1e400", search(R"({"query": "a", "similarity_threshold": 1e400})"), 400},
    {"number_1e400_in_metadata",
     post(std::string{chat}, R"({"message": "a", "user_id": "u", "metadata": {"a": 1e400}})"), 400},
    {"number_of_1000_digits", search(R"({"query": "a", "limit": )" + std::string(1'000, '9') + "}"), 400},
    {"number_beyond_64_bits", search(R"({"query": "a", "limit": 18446744073709551615})"), 422},
    {"leading_zero", search(R"({"query": "a", "limit": 01})"), 400},
    {"query_too_long", search(R"({"query": ")" + std::string(5'001, 'a') + "\"}"), 422},
    {"query_of_emoji", search(R"({"query": ")" + repeated("\xf0\x9f\x98\x80", 4'000) + "\"}"), 200},
    {"query_of_blanks", search(R"({"query": "   "})"), 422},
    {"name_with_quotes", search(R"({"query": "a", "filters": {"brand": "'; DROP TABLE products; --"}})"), 404},
};

class ApiRaw : public testing::TestWithParam<Row> {
protected:
    static void SetUpTestSuite() {
        with_ = new test::ApiCase{{{"DECANT_RATE_SEARCH", "0"},
                                   {"DECANT_RATE_CHAT", "0"},
                                   {"DECANT_RATE_MONITORING", "0"},
                                   {"DECANT_RATE_FAILED_LOGIN", "0"},
                                   {"DECANT_LLM", "none"}}};
        port_ = static_cast<std::uint16_t>(std::stoul(net::parse_url(with_->server().url(), "URL").port));
    }
    static void TearDownTestSuite() { delete with_; }

    static inline test::ApiCase* with_ = nullptr;
    static inline std::uint16_t port_ = 0;
};

TEST_P(ApiRaw, GetsADocumentedStatusAndHarmsNobody) {
    test::RawClient client{port_};
    client.send(GetParam().bytes);
    client.half_close();
    const auto answer = client.read_answer();
    ASSERT_TRUE(answer) << "no answer";
    EXPECT_EQ(answer->status, GetParam().status) << answer->body.substr(0, 400);
    if (answer->status >= 400) {
        EXPECT_EQ(net::header(answer->headers, "content-type"), "application/problem+json");
        EXPECT_EQ(json::parse(answer->body).at("status"), json::value(answer->status));
    }
    EXPECT_EQ(with_->get("/healthz").status, 200);
}

INSTANTIATE_TEST_SUITE_P(Rows, ApiRaw, testing::ValuesIn(rows), [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace decant::api
