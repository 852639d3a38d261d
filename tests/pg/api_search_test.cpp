// Searches over HTTP: what is answered, refused, and told when something is away.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "tests/support/api_case.hpp"
#include "tests/support/eventually.hpp"

namespace decant::api {
namespace {

using test::body_of;
using testing::HasSubstr;
using testing::Not;

constexpr auto search_path = "/api/v1/pgvector/search";

class ApiSearchTest : public testing::Test {
protected:
    static void SetUpTestSuite() { with_ = new test::ApiCase; }
    static void TearDownTestSuite() { delete with_; }

    static json::object search(const std::string& body) {
        const net::HttpResponse response = with_->post(search_path, body);
        EXPECT_EQ(response.status, 200) << response.body;
        return body_of(response);
    }

    static inline test::ApiCase* with_ = nullptr;
};

TEST_F(ApiSearchTest, AnswersWithTheNearestAndHowItFoundThem) {
    const json::object answer = search(R"({"query": "thing 5", "limit": 1})");
    EXPECT_EQ(answer.at("query"), "thing 5");
    const json::object& product = answer.at("results").at(0).as_object();
    EXPECT_EQ(product.at("sku"), "p-5");
    EXPECT_EQ(product.at("name"), "Producto 5");
    EXPECT_EQ(product.at("price").to_number<double>(), 50);
    EXPECT_NEAR(product.at("similarity_score").to_number<double>(), 1, 1e-6);
    const json::object& metadata = answer.at("metadata").as_object();
    EXPECT_EQ(metadata.at("total_results"), json::value(1));
    EXPECT_EQ(metadata.at("strategy_used"), "pgvector");
    EXPECT_EQ(metadata.at("similarity_threshold"), json::value(0.5));
    EXPECT_EQ(metadata.at("degraded"), json::value(false));
}

TEST_F(ApiSearchTest, FiltersByWhatTheCallerSays) {
    const std::string video = with_->catalog().value("SELECT id FROM categories WHERE name = 'video'");
    const json::object answer =
        search(R"({"query": "thing 5", "similarity_threshold": 0, "strategy": "pgvector", "limit": 100,)"
               R"("filters": {"category_id": ")" +
               video + R"(", "min_price": 40, "max_price": 80}})");
    for (const json::value& product : answer.at("results").as_array()) {
        EXPECT_EQ(product.at("category"), "video");
        EXPECT_GE(product.at("price").to_number<double>(), 40);
        EXPECT_LE(product.at("price").to_number<double>(), 80);
    }
    EXPECT_EQ(answer.at("metadata").at("filters_applied").at("category_id"), json::value(video));
}

TEST_F(ApiSearchTest, CountsFacetsOfAllThatPasses) {
    const json::object answer = search(R"({"query": "thing 5", "facets": true, "filters": {"max_price": 60}})");
    EXPECT_EQ(answer.at("facets").at("products"), json::value(6));
}

TEST_F(ApiSearchTest, FindsWhatIsSimilarToAProduct) {
    const std::string id = with_->catalog().id_of("p-5");
    const std::string path = "/api/v1/pgvector/similar/" + id;
    const json::object others = body_of(with_->get(path + "?similarity_threshold=0&limit=3"));
    EXPECT_EQ(others.at("reference_product_name"), "Producto 5");
    for (const json::value& product : others.at("similar_products").as_array())
        EXPECT_NE(product.at("product_id"), json::value(id));
    const json::object with_itself = body_of(with_->get(path + "?exclude_self=false"));
    EXPECT_EQ(with_itself.at("similar_products").at(0).at("product_id"), json::value(id));
    EXPECT_EQ(with_->get("/api/v1/pgvector/similar/00000000-0000-0000-0000-000000000000").status, 404);
    EXPECT_EQ(with_->get("/api/v1/pgvector/similar/p-5").status, 400);
}

struct Refused {
    std::string_view body;
    int status;
    std::string_view detail;
};

TEST_F(ApiSearchTest, RefusesWithTheMemberThatIsWrong) {
    for (const Refused& refused :
         {Refused{"{}", 400, "/query is missing"},
          Refused{R"({"query": "a", "limit": 101})", 422, "/limit takes 1 to 100"},
          Refused{R"({"query": " \n"})", 422, "/query has nothing but blanks"},
          Refused{R"({"query": "a", "filters": {"min_price": "1"}})", 400, "/filters/min_price takes a number"},
          Refused{R"({"query": "a", "filters": {"min_price": 9, "max_price": 8}})", 422, "8"},
          Refused{R"({"query": "a", "filters": {"brand": "Nobody"}})", 404, "Nobody"},
          Refused{"[1]", 400, "is no JSON object"}}) {
        const net::HttpResponse response = with_->post(search_path, std::string{refused.body});
        EXPECT_EQ(response.status, refused.status) << response.body;
        EXPECT_EQ(response.headers.at("content-type"), "application/problem+json");
        const json::object problem = body_of(response);
        EXPECT_THAT(std::string{problem.at("detail").as_string()}, HasSubstr(std::string{refused.detail}));
        EXPECT_EQ(problem.at("instance"), search_path);
        EXPECT_EQ(problem.at("request_id"), json::value(response.headers.at("x-request-id")));
    }
}

TEST_F(ApiSearchTest, KeepsTheCallersRequestId) {
    EXPECT_EQ(with_->get("/healthz", {"X-Request-Id: abc-1"}).headers.at("x-request-id"), "abc-1");
    EXPECT_NE(with_->get("/healthz", {"X-Request-Id: a b"}).headers.at("x-request-id"), "a b");
    const std::string parent = "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    EXPECT_EQ(with_->get("/healthz", {parent}).headers.at("x-request-id"),
              "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331");
}

TEST_F(ApiSearchTest, DoesNotCountThePageBehindTheLastAsASearchWithoutResult) {
    const net::HttpResponse behind =
        with_->post(search_path, R"({"query": "thing 5", "limit": 10, "page": 9})", {"X-Request-Id: behind-the-last"});
    ASSERT_EQ(behind.status, 200) << behind.body;
    EXPECT_TRUE(body_of(behind).at("results").as_array().empty());
    EXPECT_TRUE(test::eventually(std::chrono::seconds{10}, [] {
        return with_->catalog().value(
                   "SELECT count(*) FROM decant.search_events WHERE run_id = 'behind-the-last' AND "
                   "results > 0") == "1";
    }));
}

TEST_F(ApiSearchTest, SaysWhatThereIs) {
    EXPECT_EQ(with_->get("/nothing").status, 404);
    const net::HttpResponse wrong = with_->get(search_path);
    EXPECT_EQ(wrong.status, 405);
    EXPECT_EQ(wrong.headers.at("allow"), "POST");
    const json::object document = body_of(with_->get("/openapi.json"));
    EXPECT_TRUE(document.at("paths").as_object().contains(search_path));
}

TEST(ApiFaults, WordsAnswerWhileTheModelIsAway) {
    test::ApiCase with;
    with.is_model_away = true;
    const net::HttpResponse response = with.post(search_path, R"({"query": "producto"})");
    EXPECT_EQ(response.status, 200) << response.body;
    EXPECT_EQ(body_of(response).at("metadata").at("degraded"), json::value(true));
}

TEST(ApiFaults, AMissingSchemaIsToldFromAMissingExtension) {
    const test::SchemaCase with{test::ThrowawayCluster::shared().create_database()};
    Server server{
        Settings::from({},
                       {{"DATABASE_URL", with.decant().conninfo()}, {"DECANT_PORT", "0"}, {"DECANT_EMBEDDER", "none"}}),
        {.version = "test"}};
    net::HttpClient client{{.name = "decant", .url = net::parse_url(server.url(), "URL")}};
    const auto is_told = [&](const std::string& checks) {
        return test::eventually(std::chrono::seconds{5}, [&] {
            return client.send({.path = "/readyz", .tries = 1}).body.find(checks) != std::string::npos;
        });
    };
    EXPECT_TRUE(is_told(R"("schema":"down","extension":"up")"));
    with.exec("DROP EXTENSION vector");
    server.reload();
    EXPECT_TRUE(is_told(R"("schema":"down","extension":"down")"));
}

TEST(ApiFaults, ADatabaseThatGoesIsSaidAndComesBackByItself) {
    test::ApiCase with;
    ASSERT_EQ(with.post(search_path, R"({"query": "thing 5"})").status, 200);
    // What the sessions of the server have is gone, as after a restart of PostgreSQL.
    with.catalog().exec(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = "
        "current_database()");
    EXPECT_TRUE(test::eventually(std::chrono::seconds{5},
                                 [&] { return with.post(search_path, R"({"query": "thing 5"})").status == 200; }));
    EXPECT_EQ(with.get("/readyz").status, 200);
}

/// They stand still while this lives.
class StoppedProcesses {
public:
    explicit StoppedProcesses(const std::vector<pid_t>& pids) : pids_(pids) { signal(SIGSTOP); }
    StoppedProcesses(const StoppedProcesses&) = delete;
    StoppedProcesses& operator=(const StoppedProcesses&) = delete;
    ~StoppedProcesses() { signal(SIGCONT); }

private:
    void signal(int number) const {
        for (const pid_t pid : pids_)
            EXPECT_EQ(::kill(pid, number), 0);
    }
    std::vector<pid_t> pids_;
};

TEST(ApiFaults, ADatabaseThatFallsSilentHoldsNobodyUp) {
    test::ApiCase with{{{"DECANT_SEARCH_THREADS", "1"}}};
    ASSERT_EQ(with.post(search_path, R"({"query": "thing 5"})").status, 200);
    const std::vector<pid_t> stopped = [&] {
        std::vector<pid_t> pids;
        pg::Connection db = with.catalog().open();
        const pg::Result rows = db.exec(
            "SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database() AND "
            "backend_type = 'client backend'");
        for (int row = 0; row < rows.rows(); ++row)
            pids.push_back(static_cast<pid_t>(rows.integer(row, 0)));
        return pids;
    }();
    const StoppedProcesses silent{stopped};
    EXPECT_TRUE(test::eventually(std::chrono::seconds{30}, [&] {
        return with.post(search_path, R"({"query": "thing 5"})").status == 200;
    })) << "new sessions of the server work";
}

TEST(ApiFaults, ATryThatIsMadeAgainIsNoFailureOfTheSearch) {
    const test::ApiCase with;
    int failed = 0;
    int answered = 0;
    for (int i = 0; i < 5 || (answered == 0 && i < 50); ++i) {
        with.catalog().exec(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = "
            "current_database() AND backend_type = 'client backend'");
        ++(with.post(search_path, R"({"query": "thing 5"})").status == 200 ? answered : failed);
    }
    ASSERT_GT(answered, 0);
    const auto events = [&](const std::string& condition) {
        return std::stoi(with.catalog().value("SELECT count(*) FROM decant.search_events WHERE " + condition));
    };
    // Events of which it is not known whether they were written when their connection ended are not written again.
    EXPECT_TRUE(test::eventually(std::chrono::seconds{10}, [&] {
        const bool is_answered = with.post(search_path, R"({"query": "thing 6"})").status == 200;
        if (!is_answered) ++failed;
        return is_answered && events("error IS NULL") > 0;
    }));
    EXPECT_LE(events("error IS NOT NULL"), failed);
}

TEST_F(ApiSearchTest, TakesNothingOfAnIgnoredKindFromTheText) {
    const auto kinds = [](const json::object& answer) {
        std::vector<std::string> names;
        for (const json::value& meaning : answer.at("metadata").at("understood").at("meanings").as_array())
            names.emplace_back(meaning.at("kind").as_string());
        return names;
    };
    EXPECT_THAT(kinds(search(R"({"query": "thing 5 under 40 in stock"})")),
                testing::UnorderedElementsAre("max_price", "stock"));
    EXPECT_THAT(kinds(search(R"({"query": "thing 5 under 40 in stock", "ignore": ["max_price"]})")),
                testing::ElementsAre("stock"));
    const net::HttpResponse refused = with_->post(search_path, R"({"query": "a", "ignore": ["prices"]})");
    EXPECT_EQ(refused.status, 422);
    EXPECT_THAT(refused.body, HasSubstr("/ignore/0 takes one of category"));
}

}  // namespace
}  // namespace decant::api
