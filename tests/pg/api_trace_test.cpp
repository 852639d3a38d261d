// What requests to the server tell: to PostgreSQL, to a stand-in for LangSmith, to a collector.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/api_case.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/langsmith_server.hpp"
#include "tests/support/llm_server.hpp"
#include "tests/support/scratch_folder.hpp"

namespace decant::api {
namespace {

using namespace std::chrono_literals;
using test::body_of;
using test::eventually;
using test::LangSmithServer;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;

constexpr auto search_path = "/api/v1/pgvector/search";
constexpr auto message_path = "/api/v1/chat/message";
const std::string root_order = "20251128T100000000000Z019acafe-0000-7000-8000-000000000001";

/// A server whose traces go to `langsmith` too.
class ApiTraceTest : public testing::Test {
protected:
    ~ApiTraceTest() override { std::filesystem::remove_all(spool_); }

    Settings::Variables settings(Settings::Variables more = {}) const {
        more.merge(Settings::Variables{{"LANGSMITH_TRACING", "true"},
                                       {"LANGSMITH_ENDPOINT", langsmith_.url()},
                                       {"LANGSMITH_API_KEY", "lsv2_key"},
                                       {"LANGSMITH_FAILED_TRACES_DIR", spool_.string()},
                                       {"DECANT_KEEP_QUESTIONS", "true"}});
        return more;
    }
    /// The run of that name, once it came.
    json::object sent(const std::string& name) const {
        json::object found;
        EXPECT_TRUE(eventually(10s, [&] {
            for (const auto& [id, run] : langsmith_.runs())
                if (run.at("name").as_string() == name) found = run;
            return !found.empty();
        })) << name;
        return found;
    }
    void expect_sound(std::size_t runs) const {
        EXPECT_TRUE(eventually(10s, [&] { return langsmith_.run_count() == runs; })) << langsmith_.run_count();
        EXPECT_THAT(langsmith_.violations(), IsEmpty());
    }

    LangSmithServer langsmith_;
    std::filesystem::path spool_ = test::make_scratch_folder("traces");
};

TEST_F(ApiTraceTest, ASearchIsAChainOfItsEmbeddingAndItsRetriever) {
    const test::ApiCase with{settings()};
    const net::HttpResponse response = with.post(search_path, R"({"query": "thing 4"})");
    ASSERT_EQ(response.status, 200);
    expect_sound(3);
    const json::object root = sent("product_search");
    EXPECT_EQ(root.at("session_name"), "aynux-production");
    EXPECT_EQ(root.at("inputs"), (json::object{{"query", "thing 4"}}));
    const json::object metadata = root.at("extra").at("metadata").as_object();
    EXPECT_EQ(metadata.at("request_id"), json::value(response.headers.at("x-request-id")));
    EXPECT_EQ(metadata.at("strategy_used"), "pgvector");
    const json::object retriever = sent("retriever");
    EXPECT_EQ(retriever.at("run_type"), "retriever");
    EXPECT_EQ(retriever.at("parent_run_id"), root.at("id"));
    const json::object document = retriever.at("outputs").at("documents").at(0).as_object();
    EXPECT_EQ(document.at("metadata").at("sku"), "p-4");
    EXPECT_NEAR(document.at("metadata").at("similarity").to_number<double>(), 1, 1e-3);
    EXPECT_EQ(sent("embedding").at("extra").at("metadata").at("ls_model_name"), "small");
    EXPECT_TRUE(eventually(10s, [&] {
        return with.catalog().value(
                   "SELECT string_agg(name || ' ' || is_sampled, ', ' ORDER BY name) FROM "
                   "decant.trace_runs") == "embedding true, product_search true, retriever true";
    }));
}

TEST_F(ApiTraceTest, AnAnswerOfTheChatHasItsLlmWithTokens) {
    test::LlmServer llm{[](const json::object& request) -> std::vector<std::string> {
        if (request.contains("format"))
            return {R"({"intent":"search_specific_products","search_terms":"thing 4","category":null,"brand":null,)"
                    R"("price_min":null,"price_max":null,"specific_product":null,"wants_stock_info":false,)"
                    R"("wants_featured":false,"wants_sale":false})"};
        return {"1. Producto 4", " cuesta $40.\n"};
    }};
    const test::ApiCase with{
        settings({{"DECANT_LLM", "ollama"}, {"OLLAMA_API_URL", llm.url()}, {"OLLAMA_API_MODEL", "qwen3:4b"}})};
    const json::object answer = body_of(with.post(message_path, R"({"user_id": "ana", "message": "thing 4"})"));
    EXPECT_THAT(llm.violations(), IsEmpty());
    expect_sound(5);
    const json::object root = sent("product_agent");
    EXPECT_EQ(root.at("run_type"), "chain");
    EXPECT_EQ(root.at("outputs").at("messages").at(0).at("content"), answer.at("response"));
    EXPECT_EQ(root.at("extra").at("metadata").at("conversation_id"), answer.at("metadata").at("conversation_id"));
    EXPECT_EQ(sent("intent").at("run_type"), "llm");
    const json::object words = sent("answer");
    EXPECT_EQ(words.at("run_type"), "llm");
    const json::object metadata = words.at("extra").at("metadata").as_object();
    EXPECT_EQ(metadata.at("ls_provider"), "ollama");
    EXPECT_EQ(metadata.at("ls_model_name"), "qwen3:4b");
    EXPECT_GT(metadata.at("usage_metadata").at("output_tokens").to_number<int>(), 0);
    EXPECT_EQ(words.at("events").at(0).at("name"), "new_token");
    EXPECT_THAT(json_text(words.at("outputs")), HasSubstr("Producto 4 cuesta $40."));
    std::vector<std::string> names;
    for (const auto& [id, run] : langsmith_.runs())
        names.emplace_back(run.at("name").as_string());
    EXPECT_THAT(names, UnorderedElementsAre("product_agent", "intent", "embedding", "retriever", "answer"));
}

TEST_F(ApiTraceTest, AnAnswerWithoutAnLlmHasAParser) {
    const test::ApiCase with{settings()};
    ASSERT_EQ(with.post("/api/v1/chat/message/stream", R"({"user_id": "eva", "message": "thing 4"})").status, 200);
    expect_sound(4);
    EXPECT_EQ(sent("intent").at("run_type"), "parser");
    EXPECT_EQ(sent("product_agent").at("extra").at("metadata").at("message_id").as_string().size(), 36U);
    ASSERT_EQ(with.post(message_path, R"({"user_id": "eva", "message": "hola"})").status, 200);
    expect_sound(6);
}

TEST_F(ApiTraceTest, ARequestOfATraceGoesOnInIt) {
    const test::ApiCase with{settings()};
    ASSERT_EQ(with.post(search_path, R"({"query": "thing 4"})",
                        {"langsmith-trace: " + root_order,
                         "baggage: langsmith-tags=a,langsmith-project=theirs,langsmith-metadata=%7B%22shop%22%3A7%7D,"
                         "langsmith-replicas=%5B%7B%22api_url%22%3A%22http%3A%2F%2F127.0.0.1%3A1%22%7D%5D"})
                  .status,
              200);
    expect_sound(3);
    const json::object root = sent("product_search");
    EXPECT_EQ(root.at("trace_id"), "019acafe-0000-7000-8000-000000000001");
    EXPECT_EQ(root.at("parent_run_id"), "019acafe-0000-7000-8000-000000000001");
    EXPECT_THAT(std::string{root.at("dotted_order").as_string()}, testing::StartsWith(root_order + "."));
    EXPECT_EQ(root.at("session_name"), "theirs");
    EXPECT_EQ(root.at("extra").at("metadata").at("shop"), json::value(7));
    EXPECT_EQ(root.at("tags"), json::array{"a"});
    EXPECT_THAT(json_text(root), Not(HasSubstr("replicas")));
}

TEST_F(ApiTraceTest, FeedbackComesOnceItsRunIsThereAndReplacesWhatTheSameCallerSaid) {
    const test::ApiCase with{settings()};
    const std::string run = with.post(search_path, R"({"query": "thing 4"})").headers.at("x-request-id");
    const auto give = [&](double score) {
        return with
            .post("/api/v1/feedback", fmt::format(R"({{"run_id": "{}", "score": {}, "comment": "ok"}})", run, score))
            .status;
    };
    ASSERT_EQ(give(1), 201);
    expect_sound(3);
    const auto score = [&] {
        const auto feedback = langsmith_.feedback();
        return feedback.empty() ? -1 : feedback.begin()->second.at("score").to_number<double>();
    };
    EXPECT_TRUE(eventually(30s, [&] { return score() == 1; }));
    const json::object told = langsmith_.feedback().begin()->second;
    EXPECT_EQ(told.at("run_id"), sent("product_search").at("id"));
    EXPECT_EQ(told.at("comment"), "ok");
    EXPECT_EQ(told.at("session_id").as_string(), LangSmithServer::session_id);
    EXPECT_EQ(told.at("extend_trace_retention"), json::value(false));
    ASSERT_EQ(give(0), 201);
    EXPECT_TRUE(eventually(30s, [&] { return score() == 0; }));
    EXPECT_EQ(langsmith_.feedback().size(), 1U);
    EXPECT_THAT(langsmith_.violations(), IsEmpty());
}

TEST_F(ApiTraceTest, WithoutLangSmithTracesAreInPostgresqlAloneWithoutTexts) {
    const test::ApiCase with;
    ASSERT_EQ(with.post(search_path, R"({"query": "thing 4"})").status, 200);
    ASSERT_EQ(with.post(message_path, R"({"user_id": "ana", "message": "thing 4"})").status, 200);
    EXPECT_TRUE(eventually(10s, [&] { return with.catalog().value("SELECT count(*) FROM decant.trace_runs") == "7"; }));
    EXPECT_EQ(with.catalog().value("SELECT count(*) FROM decant.trace_runs WHERE is_sampled OR inputs <> '{}' OR "
                                   "to_jsonb(trace_runs)::text LIKE '%thing%'"),
              "0");
}

TEST_F(ApiTraceTest, ASearchThatFailsTellsItsErrorAndNoHost) {
    test::ApiCase with{settings()};
    with.is_model_away = true;
    ASSERT_EQ(with.post(search_path, R"({"query": "thing 4", "strategy": "pgvector"})").status, 503);
    const json::object root = sent("product_search");
    EXPECT_THAT(std::string{root.at("error").as_string()}, testing::StartsWith("embedder_unavailable: "));
    EXPECT_THAT(langsmith_.violations(), IsEmpty());
}

TEST_F(ApiTraceTest, TheMetricsCountWhatWentWhere) {
    const test::ApiCase with{settings({{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1"}})};
    ASSERT_EQ(with.post(search_path, R"({"query": "thing 4"})").status, 200);
    expect_sound(3);
    EXPECT_TRUE(eventually(10s, [&] {
        const std::string text = with.get("/metrics").body;
        return text.find(R"(decant_trace_runs_total{sink="langsmith",outcome="sent"} 3)") != std::string::npos ||
               text.find(R"(decant_trace_runs_total{outcome="sent",sink="langsmith"} 3)") != std::string::npos;
    })) << with.get("/metrics").body;
    EXPECT_THAT(with.get("/metrics").body, HasSubstr(R"(decant_trace_spool_bytes{sink="otlp"})"));
}

}  // namespace
}  // namespace decant::api
