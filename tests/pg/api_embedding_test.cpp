// Embeddings over HTTP: one product at once, many through the queue, and what is stale.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/api_case.hpp"
#include "tests/support/eventually.hpp"
#include "work/run_worker.hpp"

namespace decant::api {
namespace {

using namespace std::chrono_literals;
using test::body_of;
using testing::HasSubstr;
using testing::StartsWith;

const std::string product_path = "/api/v1/pgvector/embeddings/product/";
const std::string batch_path = "/api/v1/pgvector/embeddings/batch";

class ApiEmbeddings : public testing::Test {
protected:
    std::string id_of(const std::string& sku) const { return with_.catalog().id_of(sku); }
    json::object accepted(const std::string& body, const std::vector<std::string>& headers = {}) const {
        const net::HttpResponse response = with_.post(batch_path, body, headers);
        EXPECT_EQ(response.status, 202) << response.body;
        return body_of(response);
    }
    json::object status_of(const json::object& job) const {
        return body_of(with_.get(std::string{job.at("check_status_url").as_string()}));
    }
    void work() const {
        test::SmallEmbedder model;
        work::run_worker({.conninfo = with_.catalog().decant().conninfo(),
                          .once = true,
                          .sweep = false,
                          .embedder = [&]() -> embed::Embedder& { return model; }});
    }

    test::ApiCase with_;
};

TEST_F(ApiEmbeddings, MakeTheVectorOfOneProductAtOnce) {
    const std::string path = product_path + id_of("p-12");
    const json::object made = body_of(with_.post(path, ""));
    EXPECT_EQ(made.at("product_id"), json::value(id_of("p-12")));
    EXPECT_EQ(made.at("success"), json::value(true));
    EXPECT_EQ(made.at("embedding_generated"), json::value(true));
    EXPECT_EQ(made.at("embedding_dimensions"), json::value(8));
    EXPECT_EQ(made.at("embedding_model"), "small");
    EXPECT_EQ(with_.catalog().value("SELECT embedding IS NOT NULL FROM products WHERE sku = 'p-12'"), "t");
    EXPECT_EQ(body_of(with_.post(path, "")).at("embedding_generated"), json::value(false)) << "it is of its text";
    EXPECT_EQ(body_of(with_.post(path + "?force=true", "")).at("embedding_generated"), json::value(true));
}

TEST_F(ApiEmbeddings, OfNoProductAreRefused) {
    EXPECT_EQ(with_.post(product_path + "00000000-0000-0000-0000-000000000000", "").status, 404);
    EXPECT_EQ(with_.post(product_path + "p-12", "").status, 400);
}

TEST_F(ApiEmbeddings, AreNotMadeAtOnceWhileTheModelIsAwayButQueuedAllTheSame) {
    with_.is_model_away = true;
    const net::HttpResponse response = with_.post(product_path + id_of("p-12"), "");
    EXPECT_EQ(response.status, 503);
    EXPECT_EQ(body_of(response).at("error"), "embedder_unavailable");
    EXPECT_EQ(response.headers.at("retry-after"), "1");
    EXPECT_EQ(accepted("{}").at("status"), "pending");
}

TEST_F(ApiEmbeddings, OfManyProductsWaitInTheQueueUntilAWorkerMadeThem) {
    const json::object job = accepted(R"({"force": true, "batch_size": 5})");
    EXPECT_EQ(job.at("status"), "pending");
    EXPECT_EQ(job.at("estimated_duration_seconds"), json::value(1));
    const json::object waiting = status_of(job);
    EXPECT_EQ(waiting.at("job_id"), job.at("job_id"));
    EXPECT_EQ(waiting.at("status"), "pending");
    EXPECT_EQ(json_text(waiting.at("progress")), R"({"current":0,"total":12,"percentage":0})");
    EXPECT_TRUE(waiting.at("started_at").is_null());
    work();
    const json::object done = status_of(job);
    EXPECT_EQ(done.at("status"), "completed");
    EXPECT_EQ(json_text(done.at("progress")), R"({"current":12,"total":12,"percentage":100})");
    EXPECT_EQ(done.at("summary"), (json::object{{"updated", 12}, {"skipped", 0}, {"errors", 0}}));
    EXPECT_FALSE(done.at("started_at").is_null());
    EXPECT_TRUE(done.at("estimated_completion").is_null());
}

TEST_F(ApiEmbeddings, OfNamedProductsLeaveFreshOnesAloneUnlessForced) {
    const std::string body = fmt::format(R"({{"product_ids": ["{}", "{}"]}})", id_of("p-1"), id_of("p-12"));
    const json::object job = accepted(body);
    work();
    EXPECT_EQ(status_of(job).at("summary"), (json::object{{"updated", 1}, {"skipped", 1}, {"errors", 0}}));
}

TEST_F(ApiEmbeddings, WithoutABodyAreOfAllActiveProducts) {
    const net::HttpResponse response = with_.post(batch_path, "");
    ASSERT_EQ(response.status, 202) << response.body;
    EXPECT_EQ(response.headers.at("location"), std::string_view{body_of(response).at("check_status_url").as_string()});
    EXPECT_EQ(status_of(body_of(response)).at("progress").at("total"), json::value(12));
}

TEST_F(ApiEmbeddings, AskedForAgainWithTheSameIdempotencyKeyAreOneJob) {
    const std::vector<std::string> key{"Idempotency-Key: 7b1f"};
    const json::object first = accepted(R"({"force": true})", key);
    const net::HttpResponse again = with_.post(batch_path, R"({ "force":true })", key);
    EXPECT_EQ(again.status, 202);
    EXPECT_EQ(body_of(again), first) << "blanks are no difference";
    EXPECT_EQ(again.headers.at("idempotent-replayed"), "true");
    EXPECT_EQ(with_.catalog().jobs(), "12");
    EXPECT_EQ(with_.post(batch_path, R"({"force": false})", key).status, 422);
    EXPECT_EQ(with_.post(batch_path, "{}", {"Idempotency-Key: a b"}).status, 400);
    EXPECT_NE(accepted(R"({"force": true})").at("job_id"), first.at("job_id")) << "without a key it is another one";
}

TEST_F(ApiEmbeddings, RefuseJobsThatCannotBeMeant) {
    struct Refused {
        std::string body;
        int status;
        std::string detail;
    };
    for (const Refused& refused :
         {Refused{R"({"product_ids": []})", 422, "/product_ids"},
          Refused{R"({"product_ids": ["p-1"]})", 400, "is no UUID"},
          Refused{R"({"product_ids": ["00000000-0000-0000-0000-000000000000"]})", 404, "00000000-"},
          Refused{R"({"batch_size": 101})", 422, "/batch_size takes 1 to 100"},
          Refused{R"({"size": 1})", 400, "/size"}}) {
        const net::HttpResponse response = with_.post(batch_path, refused.body);
        EXPECT_EQ(response.status, refused.status) << response.body;
        EXPECT_THAT(response.body, HasSubstr(refused.detail));
    }
    EXPECT_EQ(with_.catalog().jobs(), "0");
    for (const char* job : {"0", "99", "x", "99999999999999999999", "-1"})
        EXPECT_EQ(with_.get(batch_path + "/" + job).status, 404) << job;
}

TEST_F(ApiEmbeddings, ThatAreStaleAreListed) {
    with_.catalog().exec(
        "UPDATE products SET name = 'Renamed' WHERE sku = 'p-1';"
        "UPDATE products SET last_embedding_update = now() - interval '20 days' WHERE sku = 'p-2'");
    const std::string path = "/api/v1/pgvector/embeddings/stale";
    const json::object stale = body_of(with_.get(path));
    EXPECT_EQ(stale.at("threshold_days"), json::value(7));
    EXPECT_EQ(stale.at("total_stale"), json::value(2));
    EXPECT_EQ(stale.at("returned"), json::value(2));
    const json::array& rows = stale.at("stale_embeddings").as_array();
    EXPECT_EQ(rows.at(0).at("name"), "Renamed");
    EXPECT_TRUE(rows.at(0).at("last_embedding_update").is_null());
    EXPECT_NEAR(rows.at(1).at("days_since_update").to_number<double>(), 20, 0.1);
    EXPECT_EQ(body_of(with_.get(path + "?threshold_days=30&limit=1")).at("total_stale"), json::value(1));
    EXPECT_EQ(with_.get(path + "?threshold_days=91").status, 422);
    EXPECT_EQ(with_.get(path + "?limit=0").status, 422);
}

TEST(ApiWorker, MakesWhatIsInTheQueueInsideTheServerAndEndsWithIt) {
    test::ApiCase with{{}, true};
    const json::object job = body_of(with.post(batch_path, R"({"force": true})"));
    const std::string url{job.at("check_status_url").as_string()};
    EXPECT_TRUE(test::eventually(20s, [&] { return body_of(with.get(url)).at("status") == "completed"; }));
    const auto start = std::chrono::steady_clock::now();
    EXPECT_TRUE(with.server().drain(10s));
    EXPECT_LT(std::chrono::steady_clock::now() - start, 10s);
}

}  // namespace
}  // namespace decant::api
