// What the server remembers of searches: written in the background, dropped and counted where it cannot be.

#include "store/search_events.hpp"

#include <fmt/format.h>

#include <atomic>

#include "core/error.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/http_stand_in.hpp"
#include "tests/support/schema_case.hpp"
#include "tests/support/tcp_proxy.hpp"

namespace decant::test {
namespace {

using namespace std::chrono_literals;
using store::SearchEvent;
using store::SearchEvents;

class Events : public testing::Test {
protected:
    store::SearchEventsSetup setup() const { return {.conninfo = with_.decant().conninfo(), .pause = 1ms}; }
    static bool is_written(const SearchEvents& events, std::uint64_t count) {
        return eventually(10s, [&] { return events.counts().written == count; });
    }
    std::string rows() const { return with_.value("SELECT count(*) FROM decant.search_events"); }

    SchemaCase with_;
};

TEST_F(Events, AreWrittenWithAllThatIsKnownOfASearch) {
    SearchEvents events{setup()};
    events.record({.kind = SearchEvent::Kind::chat,
                   .run_id = "run-1",
                   .strategy = "hybrid",
                   .used = "keyword",
                   .milliseconds = 12.5,
                   .understand_ms = 0.5,
                   .embed_ms = 4,
                   .search_ms = 6,
                   .answer_ms = 2,
                   .results = 3,
                   .best_similarity = 0.9,
                   .mean_similarity = 0.8,
                   .threshold = 0.7,
                   .degraded = true,
                   .error = "embedder_unavailable"});
    ASSERT_TRUE(is_written(events, 1));
    EXPECT_EQ(with_.value("SELECT concat_ws(' ', kind, run_id, strategy, strategy_used, milliseconds, understand_ms, "
                          "embed_ms, search_ms, answer_ms, results, best_similarity, mean_similarity, threshold, "
                          "degraded, error, question) FROM decant.search_events"),
              "chat run-1 hybrid keyword 12.5 0.5 4 6 2 3 0.9 0.8 0.7 t embedder_unavailable");
}

TEST_F(Events, KeepUnknownFiguresUnknown) {
    SearchEvents events{setup()};
    events.record({.milliseconds = 1});
    ASSERT_TRUE(is_written(events, 1));
    EXPECT_EQ(with_.value("SELECT num_nulls(run_id, strategy, strategy_used, understand_ms, embed_ms, search_ms, "
                          "answer_ms, best_similarity, mean_similarity, threshold, error, question) FROM "
                          "decant.search_events"),
              "12");
}

TEST_F(Events, HoldTheQuestionOnlyWhereItIsToBeKept) {
    {
        SearchEvents events{setup()};
        events.record({.milliseconds = 1, .question = "secreto"});
        ASSERT_TRUE(is_written(events, 1));
    }
    EXPECT_EQ(with_.value("SELECT question IS NULL FROM decant.search_events"), "t");
    store::SearchEventsSetup keeping = setup();
    keeping.keeps_questions = true;
    SearchEvents events{keeping};
    events.record({.milliseconds = 2, .question = std::string{"a\0b \xff ñ", 8}});
    ASSERT_TRUE(is_written(events, 1)) << "whatever bytes a client sends";
    EXPECT_EQ(with_.value("SELECT question FROM decant.search_events WHERE milliseconds = 2"), "a b \uFFFD ñ");
}

TEST_F(Events, HaveTheTimeOfTheSearchAndNotOfTheirWriting) {
    store::SearchEventsSetup slow = setup();
    slow.pause = 300ms;
    SearchEvents events{slow};
    const std::string before = with_.value("SELECT clock_timestamp()");
    events.record({.milliseconds = 1});
    const std::string after = with_.value("SELECT clock_timestamp()");
    ASSERT_TRUE(is_written(events, 1));
    EXPECT_EQ(with_.value("SELECT created_at BETWEEN '" + before + "'::timestamptz - interval '20 ms' AND '" + after +
                          "'::timestamptz + interval '20 ms' FROM decant.search_events"),
              "t");
}

TEST_F(Events, ThatAreLeftAreWrittenAtTheEnd) {
    store::SearchEventsSetup patient = setup();
    patient.pause = 1h;
    {
        SearchEvents events{patient};
        for (int i = 0; i < 2'500; ++i)
            events.record({.milliseconds = 1});
    }
    EXPECT_EQ(rows(), "2500");
}

TEST_F(Events, NeverWaitForADatabaseThatIsAwayAndCountWhatIsDropped) {
    SearchEvents events{{.conninfo = "host=/nonexistent dbname=x", .most_waiting = 10, .pause = 1ms}};
    for (int i = 0; i < 25; ++i)
        events.record({.milliseconds = 1});
    const SearchEvents::Counts counts = events.counts();
    EXPECT_EQ(counts.recorded, 25U);
    EXPECT_EQ(counts.dropped, 15U);
    EXPECT_EQ(counts.written, 0U);
}

TEST_F(Events, EndSoonWhereTheDatabaseIsSilent) {
    const HttpStandIn silent{[](const auto&) { return StandInAnswer{}; }};
    const auto start = std::chrono::steady_clock::now();
    {
        SearchEvents events{{.conninfo = fmt::format("host=127.0.0.1 port={} dbname=x", silent.port()), .pause = 1ms}};
        events.record({.milliseconds = 1});
    }
    EXPECT_LT(std::chrono::steady_clock::now() - start, 6s) << "it was not waited for as for others, ten seconds";
}

TEST_F(Events, GoOnWhenTheDatabaseIsBackAndAreNeverWrittenTwice) {
    std::atomic<bool> is_away{false};
    std::atomic<bool> loses_answers{false};
    TcpProxy proxy{
        ThrowawayCluster::shared().folder() / (".s.PGSQL." + std::to_string(ThrowawayCluster::shared().port())),
        {.from_client =
             [&](std::string& bytes) {
                 if (is_away) return TcpProxy::Action::drop;
                 return loses_answers && holds_statement(bytes, "COMMIT") ? TcpProxy::Action::answer_unseen
                                                                          : TcpProxy::Action::pass;
             },
         .from_server = {}}};
    store::SearchEventsSetup through = setup();
    through.conninfo = proxy.conninfo(database_of(with_.decant().conninfo()));
    SearchEvents events{through};
    events.record({.milliseconds = 1});
    ASSERT_TRUE(is_written(events, 1));

    loses_answers = true;
    events.record({.milliseconds = 2});
    ASSERT_TRUE(eventually(10s, [&] { return events.counts().dropped == 1; }));
    loses_answers = false;
    is_away = true;
    events.record({.milliseconds = 3});
    is_away = false;
    ASSERT_TRUE(eventually(10s, [&] { return events.counts().written + events.counts().dropped == 3; }));
    events.record({.milliseconds = 4});
    ASSERT_TRUE(eventually(10s, [&] {
        return with_.value(
                   "SELECT count(*) FROM decant.search_events WHERE milliseconds "
                   "= 4") == "1";
    }));
    EXPECT_EQ(with_.value("SELECT count(*) FROM decant.search_events WHERE milliseconds = 2"), "1")
        << "the server had it before the answer was lost";
}

TEST_F(Events, AreDroppedAndCountedWhereTheirTableIsGone) {
    with_.exec("ALTER TABLE decant.search_events RENAME TO elsewhere");
    SearchEvents events{setup()};
    events.record({.milliseconds = 1});
    ASSERT_TRUE(eventually(10s, [&] { return events.counts().dropped == 1; }));
    with_.exec("ALTER TABLE decant.elsewhere RENAME TO search_events");
    events.record({.milliseconds = 2});
    EXPECT_TRUE(is_written(events, 1));
}

TEST_F(Events, ArePrunedByAge) {
    with_.exec(
        "INSERT INTO decant.search_events (created_at, kind, milliseconds) SELECT now() - make_interval(days => d), "
        "'search', d FROM generate_series(0, 40) d, generate_series(1, 600)");
    pg::Connection db = with_.open();
    EXPECT_EQ(store::prune_search_events(db, 30), 600U * 10 + 600U)
        << "of 30 days are those that are older by the time of the statement";
    EXPECT_EQ(with_.value("SELECT max(milliseconds) FROM decant.search_events"), "29");
    EXPECT_EQ(store::prune_search_events(db, 30), 0U);
}

}  // namespace
}  // namespace decant::test
