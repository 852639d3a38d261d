// Traces over the whole way: a server under load, and the real SDK of LangSmith before the same checks.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <thread>

#include "core/child_process.hpp"
#include "net/http_client.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/langsmith_server.hpp"
#include "tests/support/scratch_folder.hpp"
#include "tests/support/serve_case.hpp"

namespace decant::test {
namespace {

using namespace std::chrono_literals;
using testing::IsEmpty;

TEST(ServeTracing, T1_EndsInTimeWhereLangSmithAnswersNothingOr500AndDeliversOnceWhenItIsBack) {
    constexpr std::size_t searches = 100;
    const std::filesystem::path spool = make_scratch_folder("traces");
    const ServeCase with;
    LangSmithServer langsmith;
    const std::vector<std::string> settings{"LANGSMITH_TRACING=true", "LANGSMITH_ENDPOINT=" + langsmith.url(),
                                            "LANGSMITH_API_KEY=lsv2_key",
                                            "LANGSMITH_FAILED_TRACES_DIR=" + spool.string()};
    for (const StandInAnswer& fault : {StandInAnswer{.is_withheld = true}, StandInAnswer{.status = 500}}) {
        langsmith.set_fault([fault](const auto&) { return std::optional{fault}; });
        ServedDecant decant = with.serve(settings);
        net::HttpClient http{
            {.name = "decant", .url = net::parse_url("http://127.0.0.1:" + std::to_string(decant.port()), "URL")}};
        for (std::size_t i = 0; i < searches; ++i)
            EXPECT_EQ(http.send({.path = "/api/v1/pgvector/search", .body = R"({"query": "producto"})"}).status, 200);
        decant.process().signal(SIGTERM);
        const auto start = std::chrono::steady_clock::now();
        EXPECT_EQ(decant.process().wait().exit_code, 0);
        EXPECT_LT(std::chrono::steady_clock::now() - start, 10s) << "two for the traces; the machine may be busy";
    }
    langsmith.set_fault({});
    const ServedDecant back = with.serve(settings);
    EXPECT_TRUE(eventually(30s, [&] { return langsmith.count_by_name()["product_search"] == 2 * searches; }));
    EXPECT_TRUE(eventually(10s, [&] { return std::filesystem::is_empty(spool / "langsmith"); }));
    EXPECT_EQ(langsmith.count_by_name()["retriever"], 2 * searches);
    EXPECT_EQ(langsmith.repeats(), 0U);
    EXPECT_THAT(langsmith.violations(), IsEmpty());
    EXPECT_THAT(langsmith.missing_parents(), IsEmpty());
    std::filesystem::remove_all(spool);
}

TEST(LongTracing, PayloadsOfTheRealSdkPassTheSameChecks) {
    const std::filesystem::path source_dir = DECANT_SOURCE_DIR;
    const ProgramResult made = run_program({.argv = {(source_dir / "scripts/make-venv").string(), "langsmith"}});
    if (made.exit_code == 77) GTEST_SKIP() << made.output;
    ASSERT_EQ(made.exit_code, 0) << made.output;
    for (const bool takes_zstd : {true, false}) {
        const LangSmithServer server{{.takes_zstd = takes_zstd}};
        const ProgramResult told =
            run_program({.argv = {(source_dir / ".deps/venv-langsmith/bin/python").string(),
                                  (source_dir / "tests/support/langsmith_sdk.py").string(), server.url(), "lsv2_key"}});
        ASSERT_EQ(told.exit_code, 0) << told.output;
        EXPECT_TRUE(eventually(20s, [&] { return server.run_count() == 60; })) << server.run_count() << told.output;
        EXPECT_TRUE(eventually(20s, [&] { return server.feedback().size() == 1; })) << told.output;
        EXPECT_THAT(server.violations(), IsEmpty());
        EXPECT_THAT(server.missing_parents(), IsEmpty());
    }
}

TEST(LongTracing, AHundredThousandSearchesTellExactlyTheirRuns) {
    constexpr std::size_t clients = 8;
    constexpr std::size_t searches = 100'000 / clients;
    const std::filesystem::path spool = make_scratch_folder("traces");
    const ServeCase with;
    const LangSmithServer langsmith;
    std::atomic<std::size_t> answered = 0;
    {
        ServedDecant decant =
            with.serve({"LANGSMITH_TRACING=true", "LANGSMITH_ENDPOINT=" + langsmith.url(), "LANGSMITH_API_KEY=lsv2_key",
                        "LANGSMITH_FAILED_TRACES_DIR=" + spool.string(), "DECANT_TRACE_MAX_MB=4000",
                        // Room for all of them: on few processors the searches outrun who writes them down.
                        "LANGSMITH_TRACING_QUEUE_MAX_SIZE=300000", "LANGSMITH_MAX_INGEST_MEMORY_BYTES=1073741824"});
        std::vector<std::jthread> threads;
        for (std::size_t client = 0; client < clients; ++client) {
            threads.emplace_back([&] {
                net::HttpClient http{
                    {.name = "decant",
                     .url = net::parse_url("http://127.0.0.1:" + std::to_string(decant.port()), "URL")}};
                for (std::size_t i = 0; i < searches; ++i) {
                    const std::string body = R"({"query": "producto )" + std::to_string(i % 100) + R"(", "limit": 3})";
                    answered += http.send({.path = "/api/v1/pgvector/search", .body = body}).status == 200 ? 1U : 0U;
                }
            });
        }
        threads.clear();
        EXPECT_EQ(answered, clients * searches);
        EXPECT_TRUE(eventually(300s, [&] { return langsmith.count_by_name()["product_search"] == answered; }));
        EXPECT_TRUE(eventually(300s, [&] {
            return with.catalog().value("SELECT count(*) FROM decant.trace_runs") ==
                   std::to_string(langsmith.run_count());
        }));
    }
    EXPECT_EQ(langsmith.count_by_name()["retriever"], answered);
    EXPECT_THAT(langsmith.violations(), IsEmpty());
    EXPECT_THAT(langsmith.missing_parents(), IsEmpty());
    EXPECT_EQ(langsmith.repeats(), 0U);
    std::filesystem::remove_all(spool);
}

}  // namespace
}  // namespace decant::test
