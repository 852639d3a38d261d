// Runs to a stand-in for LangSmith that takes nothing that breaks the contract.

#include "trace/langsmith.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "tests/support/langsmith_server.hpp"
#include "tests/support/trace_case.hpp"

namespace decant::trace {
namespace {

using test::langsmith_at;
using test::LangSmithServer;
using test::runs_of;
using test::small_record;
using test::small_trace;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

/// Two traces of three runs.
Record two_traces() {
    Record both = record_of(small_trace("r-1"), 1);
    for (trace::Run& run : record_of(small_trace("r-2", "Sierra"), 1).runs)
        both.runs.push_back(run);
    return both;
}

std::optional<test::StandInAnswer> answers_path(const test::StandInRequest& request, std::string_view path,
                                                test::StandInAnswer answer) {
    return request.target == path ? std::optional{std::move(answer)} : std::nullopt;
}

TEST(LangSmithSink, SendsRunsInPartsThatTheContractAllows) {
    const LangSmithServer server;
    LangSmithSink sink{langsmith_at(server.url())};
    Trace told = small_trace();
    told.root.error = "timed_out: late";
    told.children.front().first_token = test::time_at(5);
    told.tags = {"arm-a"};
    const Record record = record_of(std::move(told), 1);
    EXPECT_EQ(sink.deliver(runs_of(record), {}).outcome, Outcome::delivered);
    EXPECT_THAT(server.violations(), IsEmpty());
    EXPECT_THAT(server.missing_parents(), IsEmpty());
    const json::object root = server.runs().at(record.runs.front().id);
    EXPECT_EQ(root.at("session_name"), "shop");
    EXPECT_EQ(root.at("inputs"), (json::object{{"query", "Taladro"}}));
    EXPECT_EQ(root.at("error"), "timed_out: late");
    EXPECT_EQ(root.at("tags"), json::array{"arm-a"});
    EXPECT_EQ(root.at("extra").at("metadata"), (json::object{{"strategy", "pgvector"}}));
    EXPECT_EQ(root.at("extra").at("runtime").at("sdk"), "decant");
    EXPECT_EQ(root.at("start_time"), "2025-11-28T10:00:00.000000Z");
    EXPECT_EQ(server.runs().at(record.runs[1].id).at("events").at(0).at("name"), "new_token");
}

TEST(LangSmithSink, CompressesWhereTheServerSaysSo) {
    for (const bool takes_zstd : {true, false}) {
        const LangSmithServer server{{.takes_zstd = takes_zstd}};
        LangSmithSink sink{langsmith_at(server.url())};
        EXPECT_EQ(sink.deliver(runs_of(two_traces()), {}).outcome, Outcome::delivered);
        EXPECT_EQ(server.run_count(), 6U);
        EXPECT_THAT(server.violations(), IsEmpty());
        EXPECT_EQ(server.http().requests().back().headers.contains("content-encoding"), takes_zstd);
    }
}

TEST(LangSmithSink, SendsNoMoreRunsAndBytesAtOnceThanTheServerTakes) {
    const LangSmithServer server{{.limits = {.runs = 4, .bytes = 10'000}}};
    LangSmithSink sink{langsmith_at(server.url())};
    Record record = two_traces();
    record.runs.back().inputs = R"({"query":")" + std::string(5000, 'x') + R"("})";
    EXPECT_EQ(sink.deliver(runs_of(record), {}).outcome, Outcome::delivered);
    EXPECT_EQ(server.run_count(), 6U);
    EXPECT_THAT(server.violations(), IsEmpty());
    EXPECT_GE(server.http().requests().size(), 3U) << "/info, and at least two for the runs";
}

TEST(LangSmithSink, SendsBatchesForGoodOnceThereIsNoMultipart) {
    LangSmithServer server;
    server.set_fault([](const auto& request) { return answers_path(request, "/runs/multipart", {.status = 404}); });
    LangSmithSink sink{langsmith_at(server.url())};
    EXPECT_EQ(sink.deliver(runs_of(two_traces()), {}).outcome, Outcome::delivered);
    server.set_fault({});
    EXPECT_EQ(sink.deliver(runs_of(*small_record()), {}).outcome, Outcome::delivered);
    EXPECT_EQ(server.run_count(), 9U);
    EXPECT_THAT(server.violations(), IsEmpty());
    EXPECT_EQ(server.http().requests().back().target, "/runs/batch");
}

TEST(LangSmithSink, TakesDefaultsWhereTheServerSaysNothingOfItself) {
    LangSmithServer server;
    server.set_fault([](const auto& request) { return answers_path(request, "/info", {.status = 500}); });
    LangSmithSink sink{langsmith_at(server.url())};
    EXPECT_EQ(sink.deliver(runs_of(two_traces()), {}).outcome, Outcome::delivered);
    EXPECT_EQ(sink.limits().runs, 100U);
    EXPECT_THAT(server.violations(), IsEmpty());
}

TEST(LangSmithSink, HidesWhatIsToBeHidden) {
    const LangSmithServer server;
    LangSmithSetup setup = langsmith_at(server.url());
    setup.form.hides_inputs = setup.form.hides_outputs = setup.form.hides_metadata = true;
    LangSmithSink sink{setup};
    EXPECT_EQ(sink.deliver(runs_of(*small_record()), {}).outcome, Outcome::delivered);
    EXPECT_THAT(server.violations(), IsEmpty());
    for (const auto& [id, run] : server.runs()) {
        EXPECT_THAT(json_text(run), Not(HasSubstr("Taladro")));
        EXPECT_THAT(json_text(run), Not(HasSubstr("pgvector")));
    }
}

TEST(LangSmithSink, SaysWhatEachAnswerMeansForTheRuns) {
    struct Case {
        int status;
        Outcome outcome;
    };
    for (const auto& [status, outcome] :
         {Case{409, Outcome::delivered}, Case{401, Outcome::forbidden}, Case{403, Outcome::forbidden},
          Case{429, Outcome::later}, Case{408, Outcome::later}, Case{500, Outcome::later}, Case{503, Outcome::later},
          Case{301, Outcome::later}, Case{308, Outcome::later}, Case{405, Outcome::later}, Case{421, Outcome::later},
          Case{501, Outcome::later}, Case{400, Outcome::refused}, Case{413, Outcome::refused},
          Case{422, Outcome::refused}}) {
        LangSmithServer server;
        server.set_fault([answered = status](const auto& request) {
            return answers_path(request, "/runs/multipart", {.status = answered, .headers = {"Retry-After: 7"}});
        });
        LangSmithSink sink{langsmith_at(server.url())};
        const Delivery delivery = sink.deliver(runs_of(*small_record()), {});
        EXPECT_EQ(delivery.outcome, outcome) << status;
        if (status == 429) {
            EXPECT_EQ(delivery.wait, std::chrono::seconds{7});
        }
        if (outcome == Outcome::forbidden) {
            EXPECT_THAT(delivery.reason, HasSubstr("LANGSMITH_API_KEY"));
        }
        EXPECT_THAT(delivery.reason, Not(HasSubstr("lsv2_key")));
    }
}

TEST(LangSmithSink, LosesNothingAndAsksOnceWhileAProxyAnswersInItsPlace) {
    for (const int status : {301, 404, 405, 421}) {
        LangSmithServer server;
        LangSmithSink sink{langsmith_at(server.url())};
        EXPECT_EQ(sink.deliver(runs_of(*small_record()), {}).outcome, Outcome::delivered);
        const std::size_t asked = server.http().requests().size();
        server.set_fault([status](const auto&) { return test::StandInAnswer{.status = status, .body = "a proxy"}; });
        const Record record = two_traces();
        const Delivery delivery = sink.deliver(runs_of(record), {});
        EXPECT_EQ(delivery.outcome, Outcome::later) << status;
        EXPECT_THAT(delivery.reason, HasSubstr("a proxy"));
        EXPECT_LE(server.http().requests().size() - asked, 2U) << "multipart, and a batch after 404";
        server.set_fault({});
        EXPECT_EQ(sink.deliver(runs_of(record), {}).outcome, Outcome::delivered);
        EXPECT_EQ(server.http().requests().back().target, "/runs/multipart");
        EXPECT_EQ(server.run_count(), 9U);
    }
}

TEST(LangSmithSink, TellsNoKeyAndNoPathOfItsUrlWhateverTheServerRepeats) {
    std::string before;
    const test::HttpStandIn echo{[&](const test::StandInRequest& request) {
        if (request.method == "GET") return test::StandInAnswer{.body = "{}"};
        const std::string all = before + request.headers.at("x-api-key") + request.target + " " +
                                request.headers.at("authorization") + " passw0rd";
        return test::StandInAnswer{.status = 500, .body = all};
    }};
    LangSmithSetup setup = langsmith_at(echo.url() + "/t0ken-of-path", "lsv2_secret");
    setup.url.password = "passw0rd";
    EXPECT_EQ(LangSmithSink{setup}.deliver(runs_of(*small_record()), {}).reason,
              "it answers 500: ***/***/runs/multipart Basic *** ***");
    before = std::string(195, '-');
    EXPECT_THAT(LangSmithSink{setup}.deliver(runs_of(*small_record()), {}).reason, testing::EndsWith("-***/*"))
        << "a key is found before the text is cut";
    setup.url.port = "1";
    EXPECT_THAT(LangSmithSink{setup}.deliver(runs_of(*small_record()), {}).reason,
                HasSubstr("LangSmith at http://127.0.0.1:1 cannot be reached"));
}

TEST(LangSmithSink, LosesOnlyTheRunThatIsRefused) {
    LangSmithServer server{{.takes_zstd = false}};
    const Record record = two_traces();
    server.set_fault([&](const test::StandInRequest& request) -> std::optional<test::StandInAnswer> {
        const bool has_it = request.body.find("post." + record.runs[4].id) != std::string::npos;
        return has_it ? std::optional{test::StandInAnswer{.status = 422}} : std::nullopt;
    });
    LangSmithSink sink{langsmith_at(server.url())};
    const Delivery delivery = sink.deliver(runs_of(record), {});
    EXPECT_EQ(delivery.outcome, Outcome::refused);
    EXPECT_EQ(delivery.refused_runs, 1U);
    EXPECT_EQ(server.run_count(), 5U);
    EXPECT_THAT(server.violations(), IsEmpty());
}

TEST(LangSmithSink, StopsLookingWhereAllRunsAreRefused) {
    LangSmithServer server;
    server.set_fault([](const auto& request) { return answers_path(request, "/runs/multipart", {.status = 400}); });
    LangSmithSink sink{langsmith_at(server.url())};
    std::vector<SharedRecord> records;
    Runs runs;
    for (int i = 0; i < 100; ++i)
        std::ranges::copy(runs_of(*records.emplace_back(small_record())), std::back_inserter(runs));
    const Delivery delivery = sink.deliver(runs, {});
    EXPECT_EQ(delivery.outcome, Outcome::refused);
    EXPECT_EQ(delivery.refused_runs, runs.size());
    EXPECT_LT(server.http().requests().size(), runs.size() / 2);
}

TEST(LangSmithSink, SendsRunsAgainWhoseAnswerWasLostAndTheyAreThereOnce) {
    LangSmithServer server;
    server.lose_answers(1);
    LangSmithSink sink{langsmith_at(server.url())};
    const Record record = two_traces();
    EXPECT_EQ(sink.deliver(runs_of(record), {}).outcome, Outcome::later);
    EXPECT_EQ(sink.deliver(runs_of(record), {}).outcome, Outcome::delivered);
    EXPECT_EQ(server.run_count(), 6U);
    EXPECT_EQ(server.repeats(), 6U);
    EXPECT_THAT(server.violations(), IsEmpty());
}

TEST(LangSmithSink, EndsSoonAfterItIsToldTo) {
    LangSmithServer server;
    server.set_fault(
        [](const auto& request) { return answers_path(request, "/runs/multipart", {.is_withheld = true}); });
    LangSmithSink sink{langsmith_at(server.url())};
    std::stop_source stop;
    const Record record = two_traces();
    const auto start = std::chrono::steady_clock::now();
    std::jthread ending{[&] {
        while (server.http().requests().size() < 2)
            std::this_thread::yield();
        stop.request_stop();
    }};
    EXPECT_EQ(sink.deliver(runs_of(record), stop.get_token()).outcome, Outcome::later);
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds{5}) << "its own time is ten seconds";
}

std::vector<LangSmithSetup> setups_of(const Settings::Variables& settings) {
    return langsmith_setups(Settings::from({}, settings), "1");
}

TEST(LangSmithSettings, AreReadUnderAllTheirNames) {
    const auto setups =
        langsmith_setups(Settings::from({}, {{"LANGCHAIN_TRACING_V2", "true"},
                                             {"LANGCHAIN_API_KEY", "'key'"},
                                             {"LANGSMITH_API_KEY", ""},
                                             {"LANGSMITH_ENDPOINT", "\"https://eu.api.smith.langchain.com/\""},
                                             {"LANGCHAIN_SESSION", "old"},
                                             {"LANGSMITH_WORKSPACE_ID", "w"},
                                             {"LANGSMITH_TRACING_SAMPLING_RATE", "0.25"},
                                             {"LANGSMITH_HIDE_INPUTS", "true"}}),
                         "1");
    ASSERT_EQ(setups.size(), 1U);
    const LangSmithSetup* setup = &setups.front();
    EXPECT_EQ(setup->url.text(), "https://eu.api.smith.langchain.com");
    EXPECT_EQ(setup->api_key, "key");
    EXPECT_EQ(setup->form.project, "old");
    EXPECT_EQ(setup->workspace, "w");
    EXPECT_EQ(setup->sampling_rate, 0.25);
    EXPECT_TRUE(setup->form.hides_inputs);
    EXPECT_FALSE(setup->form.hides_outputs);
}

TEST(LangSmithSettings, AreOffUnlessTracingIsTrueAndWantAKey) {
    EXPECT_THAT(setups_of({{"LANGSMITH_API_KEY", "k"}}), IsEmpty());
    EXPECT_THAT(setups_of({{"LANGSMITH_TRACING", "True"}}), IsEmpty());
    EXPECT_THAT(setups_of({{"LANGSMITH_TRACING", "true"}, {"LANGSMITH_TRACING_V2", "false"}}), IsEmpty());
    EXPECT_THROW(setups_of({{"LANGSMITH_TRACING", "true"}}), Error);
    EXPECT_THROW(
        setups_of(
            {{"LANGSMITH_TRACING", "true"}, {"LANGSMITH_API_KEY", "k"}, {"LANGSMITH_TRACING_SAMPLING_RATE", "2"}}),
        Error);
}

TEST(LangSmithSettings, NameSeveralPlacesInBothForms) {
    for (const std::string text : {R"({"https://a.example/": "one", "https://b.example": "two"})",
                                   R"([{"api_url": "https://a.example/", "api_key": "one"},
                                       {"api_url": "https://b.example", "api_key": "two"}])"}) {
        const auto setups = setups_of({{"LANGSMITH_TRACING", "true"}, {"LANGSMITH_RUNS_ENDPOINTS", text}});
        ASSERT_EQ(setups.size(), 2U) << text;
        EXPECT_EQ(setups[0].url.text(), "https://a.example");
        EXPECT_EQ(setups[0].api_key, "one");
        EXPECT_EQ(setups[0].sink_name, "langsmith");
        EXPECT_EQ(setups[1].api_key, "two");
        EXPECT_EQ(setups[1].sink_name, "langsmith-2");
    }
}

TEST(LangSmithSettings, RefuseSeveralPlacesThatAreNoneWithoutRepeatingTheirKeys) {
    for (const std::string text : {"lsv2_key", "{}", "[]", "3", R"({"https://a.example": 3})",
                                   R"([{"key": "lsv2_key"}])", R"([{"api_url": "https://a.example"}, "lsv2_key"])"}) {
        try {
            setups_of({{"LANGSMITH_TRACING", "true"}, {"LANGSMITH_RUNS_ENDPOINTS", text}});
            FAIL() << text;
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ErrorCode::config_invalid);
            EXPECT_THAT(error.happened() + error.remedy(), Not(HasSubstr("lsv2_key")));
        }
    }
    EXPECT_THROW(setups_of({{"LANGSMITH_TRACING", "true"},
                            {"LANGSMITH_ENDPOINT", "https://a.example"},
                            {"LANGSMITH_RUNS_ENDPOINTS", R"({"https://b.example": "k"})"}}),
                 Error);
}

}  // namespace
}  // namespace decant::trace
