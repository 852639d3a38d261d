// Searches of a server that two hot standbys answer.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "core/json.hpp"
#include "net/http_client.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/jwt_token.hpp"
#include "tests/support/serve_case.hpp"
#include "tests/support/standby_pair.hpp"

namespace decant::test {
namespace {

using namespace std::chrono_literals;

constexpr auto search_path = "/api/v1/pgvector/search";

class LongServedReplicas : public testing::Test {
protected:
    LongServedReplicas() {
        with_.catalog().exec(
            "INSERT INTO products (name, specs, price, stock, sku, category_id) "
            "SELECT 'Producto nuevo', '', 50, 5, 'p-new', id FROM categories; DELETE FROM decant.embedding_jobs");
        server_.emplace(with_.serve({"DB_READ_HOSTS=" + servers_.hosts(), "DB_READ_LAG_BYTES=1000000000",
                                     "DB_READ_LAG_SECONDS=86400", "JWT_SECRET_KEY=" + std::string{jwt_secret}}));
        EXPECT_TRUE(eventually(30s, [&] {
            return count("decant_replica_used", replica(servers_.first)) == 1 &&
                   count("decant_replica_used", replica(servers_.second)) == 1;
        })) << metrics();
        from_primary_ = count("decant_search_answers_total", R"(server="primary")");
    }

    net::HttpClient client(const std::string& subject) const {
        const std::string token = make_token(
            jwt_header, fmt::format(R"({{"sub":"{}","exp":4000000000,"scope":"search embed chat metrics"}})", subject));
        return net::HttpClient{{.name = "decant",
                                .url = net::parse_url(fmt::format("http://127.0.0.1:{}", server_->port()), "URL"),
                                .headers = {"Authorization: Bearer " + token}}};
    }
    std::string metrics() const { return client("prometheus").send({.path = "/metrics", .tries = 1}).body; }
    /// The value of a series; -1 where there is none.
    double count(const std::string& series, const std::string& label) const {
        const std::string text = metrics();
        const std::string start = fmt::format("\n{}{{{}}} ", series, label);
        const std::size_t at = text.find(start);
        return at == std::string::npos ? -1 : std::stod(text.substr(at + start.size()));
    }
    static std::string replica(const ThrowawayCluster& cluster) {
        return fmt::format(R"(replica="{}")", StandbyPair::host_of(cluster));
    }
    double answers_of(const ThrowawayCluster& cluster) const {
        return count("decant_search_answers_total", fmt::format(R"(server="{}")", StandbyPair::host_of(cluster)));
    }
    double answers_of_primary() const {
        return count("decant_search_answers_total", R"(server="primary")") - from_primary_;
    }
    json::object post(const std::string& path, const std::string& body, const std::string& subject = "ana") const {
        const net::HttpResponse response = client(subject).send({.path = path, .body = body, .tries = 1});
        EXPECT_EQ(response.status, 200) << response.body;
        return json::parse(response.body).as_object();
    }
    json::object search(const std::string& body, const std::string& subject = "ana") const {
        json::object answer = post(search_path, body, subject);
        EXPECT_EQ(answer.at("metadata").at("degraded"), json::value(false)) << json_text(answer);
        return answer;
    }
    /// Products with a vector, which stand on two pages.
    std::size_t searchable(const std::string& subject) const {
        std::size_t found = 0;
        for (const int page : {1, 2})
            found += search(fmt::format(R"({{"query": "producto", "strategy": "pgvector", "limit": 100, "page": {}}})",
                                        page),
                            subject)
                         .at("results")
                         .as_array()
                         .size();
        return found;
    }
    std::string id_of(const std::string& sku) const {
        return with_.catalog().value(fmt::format("SELECT id FROM products WHERE sku = '{}'", sku));
    }

    StandbyPair servers_;
    ServeCase with_{servers_.primary};
    std::optional<ServedDecant> server_;
    double from_primary_ = 0;
};

TEST_F(LongServedReplicas, P1_AnswerEveryKindOfSearchWithoutThePrimary) {
    for (const std::string strategy : {"pgvector_primary", "fusion", "pgvector", "keyword"})
        search(
            R"({"query": "producto 5", "facets": true, "filters": {"max_price": 150, "category": "audio"}, "strategy": ")" +
            strategy + "\"}");
    search(R"({"query": "algo barato de audio por menos de 160", "limit": 3})");
    search(R"({"query": "nothing like it xyzzy", "strategy": "keyword"})");
    for (const std::string sku : {"p-4", "p-5"})
        EXPECT_EQ(client("ana").send({.path = "/api/v1/pgvector/similar/" + id_of(sku), .tries = 1}).status, 200);
    EXPECT_EQ(answers_of_primary(), 0) << metrics();
    EXPECT_EQ(answers_of(servers_.first) + answers_of(servers_.second), 8);
    EXPECT_GT(answers_of(servers_.first), 0);
    EXPECT_GT(answers_of(servers_.second), 0);
    EXPECT_TRUE(eventually(20s, [&] {
        return with_.catalog().value("SELECT count(*) FROM decant.search_events WHERE error IS NULL") == "8";
    }));

    post("/api/v1/chat/message", R"({"message": "busco un producto de audio", "user_id": "u1"})");
    EXPECT_GT(answers_of(servers_.first) + answers_of(servers_.second), 8);
    EXPECT_EQ(answers_of_primary(), 0);
    EXPECT_EQ(with_.catalog().value("SELECT count(*) FROM decant.chat_messages"), "2");
}

TEST_F(LongServedReplicas, P1_WhoEmbedsAProductFindsItWhileOthersReadWhatReplicasHave) {
    EXPECT_EQ(searchable("ana"), 100U);
    servers_.pause_both();
    post("/api/v1/pgvector/embeddings/product/" + id_of("p-new"), "");
    EXPECT_EQ(searchable("ana"), 101U);
    EXPECT_EQ(answers_of_primary(), 2);
    EXPECT_EQ(searchable("luis"), 100U);
    servers_.resume_both();
    EXPECT_TRUE(eventually(20s, [&] {
        const double before = answers_of_primary();
        EXPECT_EQ(searchable("ana"), 101U);
        return answers_of_primary() == before;
    }));
}

TEST_F(LongServedReplicas, P1_ASearchThatAReplicaBreaksOffIsAnsweredByThePrimary) {
    for (int turn = 0; turn < 40; ++turn)
        search(R"({"query": "producto 5"})");
    for (const ThrowawayCluster* cluster : {&servers_.first, &servers_.second})
        StandbyPair::exec(*cluster,
                          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                          "WHERE application_name = 'decant' AND pid <> pg_backend_pid()");
    for (int turn = 0; turn < 4; ++turn)
        search(R"({"query": "producto 5"})");
    EXPECT_GT(answers_of_primary(), 0);
    EXPECT_TRUE(eventually(20s, [&] {
        const double before = answers_of_primary();
        search(R"({"query": "producto 5"})");
        return answers_of_primary() == before;
    }));
}

}  // namespace
}  // namespace decant::test
