// Turns of a worker: what it takes, what it may store, and what a failure costs.

#include "work/worker.hpp"

#include <atomic>
#include <future>

#include "core/error.hpp"
#include "tests/support/embedding_case.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/fake_ollama.hpp"
#include "work/run_worker.hpp"

namespace decant::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using work::Worker;
using work::WorkerCounts;

class Workers : public testing::Test {
protected:
    work::WorkerSetup setup(int most_attempts = 2) const {
        return {.batch_size = 10, .most_attempts = most_attempts, .clock = time_.clock()};
    }
    static WorkerCounts turn(Worker& worker) {
        if (!worker.claim(10)) return {};
        worker.embed();
        return worker.store();
    }
    std::string embedded() const {
        return with_.value(
            "SELECT coalesce(string_agg(sku, ' ' ORDER BY sku), '') FROM products WHERE embedding IS NOT "
            "NULL");
    }
    /// Refuses texts with these words, as a server that breaks at them.
    void fail_at(const std::string& words, ErrorCode code = ErrorCode::embedder_unavailable) {
        model_.spoil = [=](SmallEmbedder::Texts texts, SmallEmbedder::Answer&) {
            for (const std::string_view text : texts)
                if (text.find(words) != std::string_view::npos) throw Error{code, "broken at it", "-"};
        };
    }
    std::string attempts() const {
        return with_.value(
            "SELECT coalesce(string_agg(sku || ' ' || attempts, ', ' ORDER BY sku), '') FROM "
            "decant.embedding_jobs j JOIN products p ON p.id = j.product_id");
    }

    EmbeddingCase with_;
    VirtualClock time_;
    SmallEmbedder model_;
    pg::Connection db_ = with_.open();
};

TEST_F(Workers, StoreWhatIsDueAndEmptyTheQueue) {
    with_.put(1, 3);
    Worker worker{db_, model_, setup()};
    EXPECT_EQ(turn(worker).embedded, 3U);
    EXPECT_EQ(embedded(), "p-1 p-2 p-3");
    EXPECT_EQ(with_.jobs(), "0");
    EXPECT_FALSE(worker.claim(10));
}

TEST_F(Workers, J3_StoreNothingOfALeaseThatAnotherTookOver) {
    with_.put(1, 3);
    Worker stale{db_, model_, setup()};
    ASSERT_TRUE(stale.claim(10));
    stale.embed();
    time_.advance(store::JobQueue::lease_time);
    pg::Connection other_db = with_.open();
    SmallEmbedder other_model;
    Worker other{other_db, other_model, setup()};
    ASSERT_TRUE(other.claim(2));
    other.embed();
    const WorkerCounts late = stale.store();
    EXPECT_EQ(late.lost, 2U);
    EXPECT_EQ(late.embedded, 1U);
    EXPECT_EQ(embedded(), "p-3");
    EXPECT_EQ(other.store().embedded, 2U);
    EXPECT_EQ(with_.jobs(), "0");
}

TEST_F(Workers, E1_GiveBackTheirJobsWithNoAttemptChargedWhenTheModelIsAway) {
    with_.put(1, 2);
    Worker worker{db_, model_, setup()};
    model_.spoil = [](SmallEmbedder::Texts, SmallEmbedder::Answer&) {
        throw Error{ErrorCode::embedder_unavailable, "away", "-"};
    };
    for (int i = 0; i < 10; ++i) {
        ASSERT_TRUE(worker.claim(10));
        EXPECT_THROW(worker.embed(), Error);
    }
    EXPECT_EQ(attempts(), "p-1 0, p-2 0");
    model_.spoil = {};
    EXPECT_EQ(turn(worker).embedded, 2U);
}

TEST_F(Workers, J2_ChargeALoneTextThatTheModelBreaksAtWhileItAnswersToAnother) {
    with_.put(1, 1);
    Worker worker{db_, model_, setup()};
    fail_at("Producto 1.", ErrorCode::timed_out);
    ASSERT_TRUE(worker.claim(10));
    EXPECT_THROW(worker.embed(), Error) << "it may be the model";
    EXPECT_EQ(attempts(), "p-1 0");
    EXPECT_EQ(turn(worker).failed, 1U);
    EXPECT_EQ(attempts(), "p-1 1");
    EXPECT_EQ(with_.value("SELECT last_error FROM decant.embedding_jobs"), "broken at it");
}

TEST_F(Workers, E1_ChargeNoTextToAModelThatIsBusy) {
    with_.put(1, 1);
    Worker worker{db_, model_, setup()};
    int answers_left = 1;
    model_.spoil = [&](SmallEmbedder::Texts, SmallEmbedder::Answer&) {
        if (answers_left-- != 1) throw Error{ErrorCode::overloaded, "busy", "-"};
    };
    for (int i = 0; i < 5; ++i) {
        ASSERT_TRUE(worker.claim(10));
        EXPECT_THROW(worker.embed(), Error);
        answers_left = 1;
    }
    EXPECT_EQ(attempts(), "p-1 0");
}

TEST_F(Workers, J2_FindTheTextThatTheModelBreaksAtAmongManyAndEmbedTheOthers) {
    with_.put(1, 30);
    fail_at("Producto 17.");
    const WorkerCounts counts = work::run_worker({.conninfo = with_.decant().conninfo(),
                                                  .setup = {.most_attempts = 1},
                                                  .once = true,
                                                  .embedder = [&]() -> embed::Embedder& { return model_; }});
    EXPECT_EQ(counts.embedded, 29U);
    EXPECT_EQ(counts.dead, 1U);
    EXPECT_EQ(with_.jobs(), "0");
}

TEST_F(Workers, J2_ChargeARowThatTheServerRefusesToWriteAndNoOther) {
    with_.put(1, 4);
    with_.exec("ALTER TABLE products ADD CONSTRAINT no_vector CHECK (sku <> 'p-2' OR embedding IS NULL)");
    Worker worker{db_, model_, setup()};
    const WorkerCounts first = turn(worker);
    EXPECT_EQ(first.embedded, 3U);
    EXPECT_EQ(first.failed, 1U);
    EXPECT_EQ(attempts(), "p-2 1");
    time_.advance(1min);
    EXPECT_EQ(turn(worker).dead, 1U);
    const auto letters = store::JobQueue{db_}.dead_letters(10);
    ASSERT_EQ(letters.size(), 1U);
    EXPECT_THAT(letters[0].error, HasSubstr("no_vector"));
    EXPECT_EQ(letters[0].attempts, 2);
}

TEST_F(Workers, EmbedAProductOnceThatStandsInTheQueueTwiceAndAsIsAskedForMost) {
    with_.put(1, 1);
    Worker worker{db_, model_, setup()};
    turn(worker);
    store::JobQueue queue{db_};
    const auto batch = queue.enqueue(
        {.kind = store::ProductSelection::Kind::ids, .ids = {"p-1"}, .model = "small", .demand = store::Demand::all});
    with_.exec("INSERT INTO decant.embedding_jobs (product_id) SELECT id FROM products");
    const int calls = model_.calls;
    EXPECT_EQ(turn(worker).embedded, 2U) << "both jobs end with it";
    EXPECT_EQ(model_.calls, calls + 1);
    EXPECT_EQ(queue.find_batch(batch.id)->updated, 1U);
    EXPECT_EQ(queue.find_batch(batch.id)->waiting, 0U);
}

TEST_F(Workers, EndWhenTheyAreStoppedWhateverTheyWaitFor) {
    with_.put(1, 3);
    const auto ends = [&](const std::function<bool()>& has_begun) {
        std::stop_source stop;
        auto worker = std::async(std::launch::async, work::run_worker,
                                 work::WorkerRun{.conninfo = with_.decant().conninfo(),
                                                 .stop = stop.get_token(),
                                                 .embedder = [&]() -> embed::Embedder& { return model_; }});
        EXPECT_TRUE(eventually(10s, has_begun));
        stop.request_stop();
        return worker.wait_for(5s) == std::future_status::ready;
    };
    std::atomic<int> refused{0};
    model_.spoil = [&](SmallEmbedder::Texts, SmallEmbedder::Answer&) {
        ++refused;
        throw Error{ErrorCode::embedder_unavailable, "away", "-"};
    };
    EXPECT_TRUE(ends([&] { return refused > 4; })) << "the breaker is open";
    model_.spoil = {};
    EXPECT_TRUE(ends([&] { return embedded() == "p-1 p-2 p-3"; })) << "nothing is to do";
}

TEST_F(Workers, ShareAQueueAndOneModelOfWhichOneAtATimeIsTheUser) {
    with_.put(1, 95);
    std::uint64_t told = 0;
    const WorkerCounts counts = work::run_workers({.conninfo = with_.decant().conninfo(),
                                                   .setup = {.batch_size = 10},
                                                   .once = true,
                                                   .embedder = [&]() -> embed::Embedder& { return model_; },
                                                   .on_turn = [&](const WorkerCounts& turn) { told += turn.embedded; }},
                                                  2);
    EXPECT_EQ(counts.embedded, 95U);
    EXPECT_EQ(told, 95U);
    EXPECT_EQ(counts.lost + counts.again, 0U);
    EXPECT_EQ(with_.jobs(), "0");
}

TEST_F(Workers, SayWhetherTheModelWasThereAndNotThatItIsWhenNothingHadToBeAsked) {
    with_.put(1, 1);
    Worker worker{db_, model_, setup()};
    ASSERT_TRUE(worker.claim(1));
    EXPECT_TRUE(worker.embed());
    worker.store();
    with_.exec("INSERT INTO decant.embedding_jobs (product_id) SELECT id FROM products");
    ASSERT_TRUE(worker.claim(1));
    EXPECT_FALSE(worker.embed());
}

TEST_F(Workers, M9_TakeATimeoutOfTheDatabaseForNoOutageOfTheModel) {
    with_.put(1, 3);
    // What a sequence gives outlives the rollback: the first five statements fail.
    with_.exec(
        "CREATE SEQUENCE writes; CREATE FUNCTION fail_at_first() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF nextval('writes') <= 5 THEN RAISE 'too slow' USING ERRCODE = 'query_canceled'; END IF; RETURN NEW; END $$;"
        "CREATE TRIGGER fails BEFORE UPDATE OF embedding ON products FOR EACH STATEMENT EXECUTE FUNCTION "
        "fail_at_first()");
    std::vector<std::string> notes;
    const WorkerCounts counts =
        work::run_worker({.conninfo = with_.decant().conninfo(),
                          .setup = {.note = [&](const std::string& line) { notes.push_back(line); }},
                          .once = true,
                          .embedder = [&]() -> embed::Embedder& { return model_; }});
    EXPECT_EQ(counts.embedded, 3U);
    EXPECT_EQ(counts.failed, 0U);
    ASSERT_EQ(notes.size(), 1U) << "told once a minute";
    EXPECT_THAT(notes[0], HasSubstr("the database gave up"));
}

TEST_F(Workers, EndWithOnceWhenTheServerTakesNoWritesForLong) {
    with_.put(1, 1);
    with_.exec(
        "DO $$ BEGIN EXECUTE 'ALTER DATABASE ' || current_database() || ' SET default_transaction_read_only = "
        "on'; END $$");
    EXPECT_THROW(work::run_worker({.conninfo = with_.decant().conninfo(),
                                   .once = true,
                                   .embedder = [&]() -> embed::Embedder& { return model_; }}),
                 Error);
}

TEST_F(Workers, EndAnEmbedWhoseProductsAreTakenOutOfTheQueue) {
    const FakeOllama server{{.dimension = 8}};
    with_.put(1, 2);
    with_.empty_queue();
    auto locker = with_.open();
    const pg::Transaction under_way{locker};
    locker.exec("UPDATE products SET price = 1 WHERE sku = 'p-1'");
    auto embed = with_.decant().start({"embed"}, {"OLLAMA_API_URL=" + server.url()});
    ASSERT_TRUE(eventually(30s, [&] { return embedded() == "p-2"; })) << embed.err();
    ASSERT_TRUE(eventually(30s, [&] { return store::JobQueue{db_}.purge(true) == 1; }));
    const Outcome outcome = embed.wait();
    EXPECT_EQ(outcome.exit_code, 1) << outcome.told();
    EXPECT_THAT(outcome.out, HasSubstr("Embedded 1 of 2 products; 0 skipped, 0 errors\nTaken out of the queue "
                                       "meanwhile: 1\n"));
}

}  // namespace
}  // namespace decant::test
