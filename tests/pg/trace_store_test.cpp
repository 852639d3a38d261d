// Runs in PostgreSQL: what is kept of them, once each, and how long.

#include "trace/trace_store.hpp"

#include "core/error.hpp"
#include "tests/support/schema_case.hpp"
#include "tests/support/trace_case.hpp"

namespace decant::test {
namespace {

using trace::Outcome;
using trace::TraceStore;

class TraceStoreTest : public testing::Test {
protected:
    TraceStore store(bool keeps_texts) const {
        return TraceStore{{.conninfo = with_.decant().conninfo(), .keeps_texts = keeps_texts}};
    }
    void put(const std::string& age, int bytes) const {
        with_.open().query(
            "INSERT INTO decant.trace_runs (id, trace_id, name, run_type, started_at, milliseconds, inputs, outputs, "
            "metadata, tags, is_sampled, bytes) VALUES (gen_random_uuid(), gen_random_uuid(), 'n', 'chain', now() - "
            "$1::interval, 1, '{}', '{}', '{}', '{}', false, $2::int)",
            {age, std::to_string(bytes)});
    }
    std::string count() const { return with_.value("SELECT count(*) FROM decant.trace_runs"); }

    SchemaCase with_;
};

TEST_F(TraceStoreTest, KeepsEachRunOnceHoweverOftenItComes) {
    trace::Trace told = small_trace("r-9", "Taladro \"750\"\n");
    told.tags = {"arm-a", "with, comma"};
    told.root.error = "timed_out: late";
    const trace::Record record = trace::record_of(std::move(told), 1);
    TraceStore sink = store(true);
    EXPECT_EQ(sink.deliver(runs_of(record), {}).outcome, Outcome::delivered);
    EXPECT_EQ(sink.deliver(runs_of(record), {}).outcome, Outcome::delivered);
    EXPECT_EQ(count(), "3");
    const pg::Connection db = with_.open();
    EXPECT_EQ(with_.value("SELECT concat_ws(' ', id, trace_id = id, name, run_type, milliseconds, inputs->>'query', "
                          "metadata->>'strategy', tags, error, is_sampled, started_at AT TIME ZONE 'UTC') "
                          "FROM decant.trace_runs WHERE request_id = 'r-9'"),
              record.runs.front().id +
                  " t product_search chain 40 Taladro \"750\"\n pgvector "
                  "{arm-a,\"with, comma\"} timed_out: late t 2025-11-28 10:00:00");
    EXPECT_EQ(with_.value("SELECT count(*) FROM decant.trace_runs c JOIN decant.trace_runs p ON p.id = c.parent_id"),
              "2");
}

TEST_F(TraceStoreTest, TakesTheRestOfRunsOfWhichSomeAreThere) {
    const trace::Record first = trace::record_of(small_trace("r-1"), 1);
    const trace::Record second = trace::record_of(small_trace("r-2"), 1);
    TraceStore sink = store(true);
    EXPECT_EQ(sink.deliver(runs_of(first), {}).outcome, Outcome::delivered);
    trace::Runs both = runs_of(first);
    std::ranges::copy(runs_of(second), std::back_inserter(both));
    EXPECT_EQ(sink.deliver(both, {}).outcome, Outcome::delivered);
    EXPECT_EQ(count(), "6");
}

TEST_F(TraceStoreTest, KeepsTextsThatAreNoneOfPostgresql) {
    trace::Trace told = small_trace("r-\xff");
    told.root.error = std::string("nul\0 and \xfe", 10);
    told.tags = {std::string("a\0b", 3)};
    EXPECT_EQ(store(true).deliver(runs_of(trace::record_of(std::move(told), 1)), {}).outcome, Outcome::delivered);
    EXPECT_EQ(
        with_.value("SELECT concat_ws('|', request_id, error, tags) FROM decant.trace_runs WHERE parent_id IS NULL"),
        "r-\ufffd|nul  and \ufffd|{ab}");
}

TEST_F(TraceStoreTest, KeepsNamesThatAreNoneOfPostgresql) {
    trace::Trace told = small_trace("r-1");
    told.root.metadata[std::string_view("a\0b", 3)] = json::object{{std::string_view("c\0", 2), 1}};
    EXPECT_EQ(store(true).deliver(runs_of(trace::record_of(std::move(told), 1)), {}).outcome, Outcome::delivered);
    EXPECT_EQ(with_.value("SELECT metadata #>> ARRAY['a b', 'c '] FROM decant.trace_runs WHERE parent_id IS NULL"),
              "1");
}

TEST_F(TraceStoreTest, LosesNoRunForAnotherThatPostgresqlRefuses) {
    std::vector<trace::Record> records;
    trace::Runs runs;
    for (int i = 0; i < 20; ++i)
        records.push_back(trace::record_of(small_trace(std::to_string(i)), 1));
    records[7].runs[1].metadata = R"({"a": "\u0000"})";
    records[15].runs[0].outputs = "{";
    for (const trace::Record& record : records)
        std::ranges::copy(runs_of(record), std::back_inserter(runs));
    const trace::Delivery delivery = store(true).deliver(runs, {});
    EXPECT_EQ(delivery.outcome, Outcome::refused);
    EXPECT_EQ(delivery.refused_runs, 2U);
    EXPECT_EQ(count(), "58");
}

TEST_F(TraceStoreTest, StopsLookingWhereAllAreRefused) {
    with_.exec("ALTER TABLE decant.trace_runs ADD CONSTRAINT never CHECK (false)");
    std::vector<trace::Record> records;
    trace::Runs runs;
    for (int i = 0; i < 300; ++i)
        records.push_back(trace::record_of(small_trace(std::to_string(i)), 1));
    for (const trace::Record& record : records)
        std::ranges::copy(runs_of(record), std::back_inserter(runs));
    EXPECT_EQ(store(true).deliver(runs, {}).refused_runs, 900U);
    EXPECT_EQ(count(), "0");
}

TEST_F(TraceStoreTest, KeepsNoTextOfPeopleUnlessItIsTold) {
    const trace::Record record = trace::record_of(small_trace(), 1);
    EXPECT_EQ(store(false).deliver(runs_of(record), {}).outcome, Outcome::delivered);
    EXPECT_EQ(with_.value("SELECT string_agg(inputs::text, ' ') FROM decant.trace_runs"), "{} {} {}");
    EXPECT_EQ(with_.value("SELECT outputs->'documents'->0->>'page_content' FROM decant.trace_runs "
                          "WHERE run_type = 'retriever'"),
              "Taladro")
        << "what was found is the catalog's";
    EXPECT_EQ(with_.value("SELECT outputs::text FROM decant.trace_runs WHERE run_type = 'chain'"), "{}");
}

TEST_F(TraceStoreTest, TakesRunsLaterWhereTheDatabaseIsAwayAndNeverWhereItHasNoTableForThem) {
    const trace::Record record = trace::record_of(small_trace(), 1);
    TraceStore away{{.conninfo = "host=127.0.0.1 port=1 dbname=none"}};
    EXPECT_EQ(away.deliver(runs_of(record), {}).outcome, Outcome::later);
    TraceStore stranger{{.conninfo = with_.decant().conninfo() + " user=nobody_of_this_server"}};
    EXPECT_EQ(stranger.deliver(runs_of(record), {}).outcome, Outcome::later);
    with_.exec("DROP TABLE decant.trace_runs");
    const trace::Delivery delivery = store(true).deliver(runs_of(record), {});
    EXPECT_EQ(delivery.outcome, Outcome::refused);
    EXPECT_EQ(delivery.refused_runs, 3U);
}

TEST_F(TraceStoreTest, RemovesWhatIsTooOldAndThenTheOldestOverTheLimit) {
    put("15 days", 10);
    for (int day = 0; day < 10; ++day)
        put(std::to_string(day) + " days", 100);
    pg::Connection db = with_.open();
    EXPECT_EQ(trace::prune_traces(db, {.days = 14, .bytes = 10'000}), 1U);
    EXPECT_EQ(trace::prune_traces(db, {.days = 14, .bytes = 450}), 6U);
    EXPECT_EQ(with_.value("SELECT count(*) FROM decant.trace_runs WHERE started_at > now() - interval '3 days 1 hour'"),
              "4");
    EXPECT_EQ(trace::prune_traces(db, {.days = 14, .bytes = 450}), 0U);
}

TEST_F(TraceStoreTest, GoesAwayWithItsMigrationAndComesBack) {
    EXPECT_EQ(with_.psql_file("009_traces.down.sql").exit_code, 0);
    EXPECT_EQ(with_.value("SELECT to_regclass('decant.trace_runs') IS NULL"), "t");
    for (int twice = 0; twice < 2; ++twice)
        EXPECT_EQ(with_.psql_file("009_traces.sql").exit_code, 0);
    EXPECT_EQ(count(), "0");
}

}  // namespace
}  // namespace decant::test
