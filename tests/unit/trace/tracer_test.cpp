// Traces to a stand-in for LangSmith that is dead, slow, or answers 500, and comes back: T1 of the fault matrix.

#include "trace/tracer.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "core/settings.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/http_stand_in.hpp"
#include "tests/support/langsmith_server.hpp"
#include "tests/support/scratch_folder.hpp"
#include "tests/support/trace_case.hpp"
#include "trace/langsmith.hpp"
#include "trace/otlp.hpp"

namespace decant::trace {
namespace {

using namespace std::chrono_literals;
using test::eventually;
using test::LangSmithServer;
using test::small_trace;
using testing::IsEmpty;
using Clock = std::chrono::steady_clock;

class TracerTest : public testing::Test {
protected:
    ~TracerTest() override { std::filesystem::remove_all(folder_); }

    TracerSetup setup(const std::string& url, const std::string& key = "lsv2_key") const {
        TracerSetup setup{.sinks = {.spool = folder_, .linger = 5ms, .first_pause = 5ms, .longest_pause = 50ms}};
        setup.sampled.push_back(std::make_unique<LangSmithSink>(test::langsmith_at(url, key)));
        return setup;
    }
    /// By settings, with no database.
    TracerSetup setup_by(Settings::Variables settings) const {
        settings.merge(
            Settings::Variables{{"LANGSMITH_TRACING", "true"}, {"LANGSMITH_FAILED_TRACES_DIR", folder_.string()}});
        return tracer_setup(Settings::from({}, settings), "host=/nonexistent dbname=none", "1");
    }
    std::filesystem::path folder_ = test::make_scratch_folder("trace");
};

TEST_F(TracerTest, BringsExactlyTheRunsOfAThousandRequests) {
    const LangSmithServer server;
    {
        Tracer tracer{setup(server.url())};
        for (int i = 0; i < 1000; ++i)
            tracer.record(small_trace(std::to_string(i), "Taladro", i));
        EXPECT_TRUE(eventually(20s, [&] { return server.run_count() == 3000; }));
    }
    EXPECT_THAT(server.violations(), IsEmpty());
    EXPECT_THAT(server.missing_parents(), IsEmpty());
    EXPECT_EQ(server.repeats(), 0U);
    EXPECT_EQ(server.count_by_name(),
              (std::map<std::string, std::size_t>{{"embedding", 1000}, {"product_search", 1000}, {"retriever", 1000}}));
}

TEST_F(TracerTest, SendsTheSampledTracesWhole) {
    const LangSmithServer server;
    {
        TracerSetup half = setup(server.url());
        half.sampling_rate = 0.5;
        Tracer tracer{std::move(half)};
        for (int i = 0; i < 400; ++i)
            tracer.record(small_trace());
    }
    const auto counts = server.count_by_name();
    EXPECT_NEAR(static_cast<double>(counts.at("product_search")), 200, 55);
    EXPECT_EQ(counts.at("retriever"), counts.at("product_search"));
    EXPECT_THAT(server.missing_parents(), IsEmpty());
}

/// Tells a thousand requests, then ends: no request waits, memory and the end are bounded.
void tell_and_end(TracerSetup setup) {
    auto tracer = std::make_unique<Tracer>(std::move(setup));
    std::vector<std::chrono::nanoseconds> waits;
    for (int i = 0; i < 1000; ++i) {
        Trace trace = small_trace();
        const auto start = Clock::now();
        tracer->record(std::move(trace));
        waits.push_back(Clock::now() - start);
        EXPECT_LE(tracer->counts().at(0).waiting, 10'000U);
    }
    std::ranges::sort(waits);
    EXPECT_LT(waits[990], 1ms);
    const auto start = Clock::now();
    tracer.reset();
    EXPECT_LT(Clock::now() - start, 2s);
}

/// How a sink fails.
struct Failing {
    std::string name;
    test::StandInAnswer answer;
};

class FailingSink : public TracerTest, public testing::WithParamInterface<Failing> {};

TEST_P(FailingSink, MakesNoRequestWaitEndsInTimeAndGetsEachRunOnceWhenItIsBack) {
    LangSmithServer server;
    server.set_fault([](const auto&) { return std::optional{GetParam().answer}; });
    tell_and_end(setup(server.url()));
    EXPECT_EQ(server.run_count(), 0U);
    server.set_fault({});
    const Tracer back{setup(server.url())};
    EXPECT_TRUE(eventually(20s, [&] { return server.run_count() == 3000; })) << server.run_count();
    EXPECT_TRUE(eventually(10s, [&] { return back.counts().at(0).spooled_bytes == 0; }));
    EXPECT_EQ(server.repeats(), 0U);
    EXPECT_THAT(server.violations(), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Ways, FailingSink,
                         testing::Values(Failing{"Slow", {.is_withheld = true}}, Failing{"Answers500", {.status = 500}},
                                         Failing{"Answers429", {.status = 429, .headers = {"Retry-After: 1"}}},
                                         Failing{"BreaksOff", {.body = "{}", .cut_after = 0}}),
                         [](const auto& way) { return way.param.name; });

TEST_F(TracerTest, IsDeliveredWhenADeadServerComesBackWhileItRuns) {
    auto server = std::make_unique<LangSmithServer>();
    const int port = server->port();
    const std::string url = server->url();
    server.reset();
    tell_and_end(setup(url));
    Tracer tracer{setup(url)};
    tracer.record(small_trace());
    EXPECT_TRUE(eventually(10s, [&] { return tracer.counts().at(0).spooled_bytes > 0; }));
    const LangSmithServer back{{.port = port}};
    EXPECT_TRUE(eventually(20s, [&] { return back.run_count() == 3003; })) << back.run_count();
    EXPECT_THAT(back.violations(), IsEmpty());
}

TEST_F(TracerTest, SendsByTheCollectorWhatLangSmithMayHaveWhereThatIsItsWay) {
    const Settings::Variables by_collector{{"LANGSMITH_TRACING_MODE", "otel"},
                                           {"LANGSMITH_ENDPOINT", "http://127.0.0.1:1"},
                                           {"OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1"},
                                           {"LANGSMITH_TRACING_SAMPLING_RATE", "0.25"}};
    const TracerSetup setup = setup_by(by_collector);
    ASSERT_EQ(setup.all.size(), 1U) << "PostgreSQL";
    ASSERT_EQ(setup.sampled.size(), 1U);
    EXPECT_EQ(setup.sampled.front()->name(), "otlp");
    const OtlpSetup collector{.url = {}, .form = {.has_content = true}};
    const LangSmithSetup account{.url = {}, .form = {.hides_outputs = true, .hides_metadata = true}};
    const OtlpSetup told = otlp_setup_for(collector, account);
    EXPECT_TRUE(told.form.hides_metadata);
    EXPECT_FALSE(told.form.has_content);
}

TEST_F(TracerTest, EndsSoonWhereTheDatabaseIsSilent) {
    const test::HttpStandIn silent{[](const auto&) { return test::StandInAnswer{}; }};
    const std::string conninfo = fmt::format("host=127.0.0.1 port={} dbname=x", silent.port());
    auto tracer = std::make_unique<Tracer>(tracer_setup(Settings::from({}, {}), conninfo, "1"));
    tracer->record(small_trace());
    const auto start = Clock::now();
    tracer.reset();
    EXPECT_LT(Clock::now() - start, 6s) << "it was not waited for as for others, ten seconds";
}

TEST_F(TracerTest, SendsToEveryPlaceAndADeadOneKeepsNothingFromTheOthers) {
    const LangSmithServer first;
    const LangSmithServer last;
    std::string dead;
    {
        const LangSmithServer gone;
        dead = gone.url();
    }
    const std::string places =
        fmt::format(R"({{"{}": "lsv2_key", "{}": "lsv2_key", "{}": "lsv2_key"}})", first.url(), dead, last.url());
    Tracer tracer{setup_by({{"LANGSMITH_RUNS_ENDPOINTS", places}})};
    tracer.record(small_trace());
    EXPECT_TRUE(eventually(10s, [&] { return first.run_count() == 3 && last.run_count() == 3; }));
    const auto spooled_for = [&](std::string_view place) {
        const std::vector<SinkCounts> counts = tracer.counts();
        return std::ranges::find(counts, place, &SinkCounts::sink)->spooled_bytes;
    };
    EXPECT_TRUE(eventually(10s, [&] { return spooled_for("langsmith-2") > 0; }));
    EXPECT_EQ(spooled_for("langsmith"), 0U);
    EXPECT_THAT(first.violations(), IsEmpty());
    EXPECT_THAT(last.violations(), IsEmpty());
}

TEST_F(TracerTest, ReachesLangSmithAsSpansInTheModeOtel) {
    const test::HttpStandIn langsmith{[](const auto&) { return test::StandInAnswer{}; }};
    Tracer tracer{setup_by({{"LANGSMITH_ENDPOINT", langsmith.url()},
                            {"LANGSMITH_API_KEY", "lsv2_key"},
                            {"LANGSMITH_PROJECT", "shop"},
                            {"LANGSMITH_TRACING_MODE", "otel"}})};
    tracer.record(small_trace());
    ASSERT_TRUE(eventually(10s, [&] { return !langsmith.requests().empty(); }));
    const test::StandInRequest request = langsmith.requests().front();
    EXPECT_EQ(request.target, "/otel/v1/traces");
    EXPECT_EQ(request.headers.at("x-api-key"), "lsv2_key");
    EXPECT_EQ(request.headers.at("langsmith-project"), "shop");
    EXPECT_EQ(request.headers.at("content-type"), "application/x-protobuf");
    EXPECT_NE(request.body.find("Taladro"), std::string::npos);
}

TEST_F(TracerTest, ReachesEveryLangSmithAsSpansInTheModeOtel) {
    const auto takes = [](const auto&) { return test::StandInAnswer{}; };
    const test::HttpStandIn first{takes};
    const test::HttpStandIn last{takes};
    const std::string places = fmt::format(R"({{"{}": "one", "{}": "two"}})", first.url(), last.url());
    Tracer tracer{setup_by({{"LANGSMITH_RUNS_ENDPOINTS", places}, {"LANGSMITH_TRACING_MODE", "otel"}})};
    tracer.record(small_trace());
    ASSERT_TRUE(eventually(10s, [&] { return !first.requests().empty() && !last.requests().empty(); }));
    EXPECT_EQ(first.requests().front().headers.at("x-api-key"), "one");
    EXPECT_EQ(last.requests().front().headers.at("x-api-key"), "two");
    EXPECT_EQ(tracer.counts().at(1).sink, "otlp");
    EXPECT_EQ(tracer.counts().at(2).sink, "otlp-2");
}

/// Says nothing until it is told to stop, and then takes its time.
struct SilentSink : Sink {
    explicit SilentSink(std::string called) : own_name(std::move(called)) {}
    std::string_view name() const noexcept override { return own_name; }
    BatchLimits limits() const noexcept override { return {}; }
    Delivery deliver(const Runs&, const std::stop_token& stop) override {
        while (!stop.stop_requested())
            std::this_thread::yield();
        const auto told = Clock::now();
        while (Clock::now() < told + 300ms)
            std::this_thread::yield();
        return {.outcome = Outcome::later};
    }
    std::string own_name;
};

TEST_F(TracerTest, EndsInTimeWithManySinksOfWhichNoneStopsAtOnce) {
    TracerSetup many{.sinks = {.spool = folder_, .linger = 1ms}};
    for (int i = 0; i < 6; ++i)
        many.sampled.push_back(std::make_unique<SilentSink>(fmt::format("silent-{}", i)));
    auto tracer = std::make_unique<Tracer>(std::move(many));
    tracer->record(small_trace());
    const auto start = Clock::now();
    tracer.reset();
    EXPECT_LT(Clock::now() - start, 2s) << "a second, and what one of them takes";
}

TEST_F(TracerTest, SendsNothingMoreWithAKeyThatIsNotTaken) {
    const LangSmithServer server;
    Tracer tracer{setup(server.url(), "wrong")};
    tracer.record(small_trace());
    EXPECT_TRUE(eventually(10s, [&] { return tracer.counts().at(0).is_forbidden; }));
    const std::size_t asked = server.http().requests().size();
    for (int i = 0; i < 100; ++i)
        tracer.record(small_trace());
    EXPECT_TRUE(eventually(10s, [&] { return tracer.counts().at(0).waiting == 0; }));
    EXPECT_EQ(server.http().requests().size(), asked);
}

}  // namespace
}  // namespace decant::trace
