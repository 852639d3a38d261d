// The queue of products to embed, by the database's clock and by one that the tests turn.

#include "store/job_queue.hpp"

#include "core/error.hpp"
#include "tests/support/embedding_case.hpp"

namespace decant::test {
namespace {

using namespace std::chrono_literals;
using store::Job;
using store::JobQueue;
using store::Lease;
using store::ProductSelection;

std::vector<std::int64_t> ids_of(const Lease& lease) {
    std::vector<std::int64_t> ids;
    for (const Job& job : lease.jobs)
        ids.push_back(job.id);
    return ids;
}

class Queue : public testing::Test {
protected:
    /// The skus of a lease's jobs, in their order.
    std::string skus(const Lease& lease) const {
        std::string all;
        for (const Job& job : lease.jobs)
            all +=
                (all.empty() ? "" : " ") + with_.value("SELECT sku FROM products WHERE id = '" + job.product_id + "'");
        return all;
    }
    bool fail(const Job& job, std::chrono::milliseconds pause = 1s, int most_attempts = 3) {
        return queue_.fail({.job = job, .reason = "poison", .pause = pause, .most_attempts = most_attempts});
    }
    Job claim_one() { return queue_.claim(1).jobs.at(0); }

    EmbeddingCase with_;
    VirtualClock time_;
    pg::Connection db_ = with_.open();
    pg::Connection other_db_ = with_.open();
    JobQueue queue_{db_, time_.clock()};
    JobQueue other_{other_db_, time_.clock()};
};

TEST_F(Queue, GivesTheOldestFirstAndWhatIsLeasedToNobodyElse) {
    with_.put(1, 5);
    EXPECT_EQ(skus(queue_.claim(2)), "p-1 p-2");
    EXPECT_EQ(skus(other_.claim(2)), "p-3 p-4");
    EXPECT_EQ(skus(queue_.claim(2)), "p-5");
    EXPECT_TRUE(other_.claim(2).jobs.empty());
}

TEST_F(Queue, IsSharedByTwoWithoutOneWaitingForTheOther) {
    with_.put(1, 4);
    const pg::Transaction under_way{db_};
    EXPECT_EQ(skus(queue_.claim(2)), "p-1 p-2");
    other_db_.exec("SET lock_timeout = '5s'");
    const Lease lease = other_.claim(10);
    EXPECT_EQ(lease.jobs.size(), 2U) << "the first two are locked by a claim that has not ended";
}

TEST_F(Queue, NeverKeepsWhoWritesProductsWaiting) {
    with_.put(1, 2);
    const Lease lease = queue_.claim(2);
    const pg::Transaction under_way{db_};
    ASSERT_EQ(queue_.hold(lease.token, ids_of(lease)).size(), 2U);
    with_.exec("SET lock_timeout = '5s'; UPDATE products SET name = name || '!'; DELETE FROM products");
}

TEST_F(Queue, J1_GivesALeaseThatHasRunOutToTheNext) {
    with_.put(1, 1);
    const Lease lost = queue_.claim(1);
    time_.advance(JobQueue::lease_time - 1ms);
    EXPECT_TRUE(other_.claim(1).jobs.empty());
    time_.advance(1ms);
    const Lease taken = other_.claim(1);
    EXPECT_EQ(ids_of(taken), ids_of(lost));
    EXPECT_GT(taken.token, lost.token);
    EXPECT_EQ(taken.jobs[0].attempts, 0) << "a worker that died costs the product nothing";
}

TEST_F(Queue, KeepsALeaseThatIsRenewed) {
    with_.put(1, 1);
    const Lease lease = queue_.claim(1);
    for (int beats = 0; beats < 5; ++beats) {
        time_.advance(JobQueue::lease_time - 1s);
        EXPECT_TRUE(queue_.renew(lease.token));
        EXPECT_TRUE(other_.claim(1).jobs.empty());
    }
    time_.advance(JobQueue::lease_time);
    ASSERT_EQ(other_.claim(1).jobs.size(), 1U);
    EXPECT_FALSE(queue_.renew(lease.token));
}

TEST_F(Queue, J3_HoldsNothingForAWorkerWhoseLeaseWasTaken) {
    with_.put(1, 3);
    const Lease stale = queue_.claim(3);
    EXPECT_EQ(queue_.hold(stale.token, ids_of(stale)), ids_of(stale));
    time_.advance(JobQueue::lease_time);
    const Lease taken = other_.claim(2);
    EXPECT_EQ(queue_.hold(stale.token, ids_of(stale)), std::vector{stale.jobs[2].id}) << "which nobody took";
    queue_.release(stale.token);
    EXPECT_EQ(other_.hold(taken.token, ids_of(taken)), ids_of(taken)) << "released is only what is still held";
}

TEST_F(Queue, J4_ReadsTheTimeFromTheDatabaseAndNotFromTheMachineOfTheWorker) {
    with_.put(1, 1);
    JobQueue real{db_};
    const Lease lease = real.claim(1);
    EXPECT_EQ(with_.value("SELECT leased_until BETWEEN clock_timestamp() + '9 s' AND clock_timestamp() + '10 s' FROM "
                          "decant.embedding_jobs"),
              "t");
    with_.exec("UPDATE decant.embedding_jobs SET leased_until = clock_timestamp() + '1 h'");
    EXPECT_TRUE(JobQueue{other_db_}.claim(1).jobs.empty());
    EXPECT_TRUE(real.renew(lease.token));
    EXPECT_EQ(with_.value("SELECT leased_until < clock_timestamp() + '11 s' FROM decant.embedding_jobs"), "t");
}

TEST_F(Queue, ReleasesWithNoAttemptChargedAndAtOnce) {
    with_.put(1, 2);
    fail(claim_one());
    time_.advance(1s);
    const Lease lease = queue_.claim(2);
    queue_.release(lease.token);
    const Lease again = other_.claim(2);
    EXPECT_EQ(ids_of(again), ids_of(lease));
    EXPECT_EQ(again.jobs[0].attempts, 1);
    EXPECT_EQ(again.jobs[1].attempts, 0);
}

TEST_F(Queue, PutsBackForLaterWithNoAttemptCharged) {
    with_.put(1, 1);
    const Lease lease = queue_.claim(1);
    queue_.put_back(ids_of(lease), 2s);
    EXPECT_TRUE(other_.claim(1).jobs.empty());
    EXPECT_EQ(queue_.counts().delayed, 1U);
    time_.advance(2s);
    EXPECT_EQ(other_.claim(1).jobs.at(0).attempts, 0);
}

TEST_F(Queue, J2_ChargesAttemptsAndMakesADeadLetterOfTheLast) {
    with_.put(1, 2);
    for (int attempt = 1; attempt <= 2; ++attempt) {
        const Job job = claim_one();
        EXPECT_EQ(job.attempts, attempt - 1);
        EXPECT_FALSE(fail(job, 5s));
        EXPECT_EQ(skus(other_.claim(1)), attempt == 1 ? "p-2" : "") << "others do not wait for it";
        time_.advance(5s);
        if (attempt == 1) queue_.remove({with_.open().exec("SELECT max(id) FROM decant.embedding_jobs").integer(0, 0)});
    }
    EXPECT_TRUE(fail(claim_one()));
    const auto letters = queue_.dead_letters(10);
    ASSERT_EQ(letters.size(), 1U);
    EXPECT_EQ(letters[0].product_id, with_.id_of("p-1"));
    EXPECT_EQ(letters[0].name, "Producto 1");
    EXPECT_EQ(letters[0].attempts, 3);
    EXPECT_EQ(letters[0].error, "poison");
    EXPECT_EQ(letters[0].failed_at, time_.text().substr(0, 19));
    EXPECT_EQ(with_.jobs(), "0");
}

TEST_F(Queue, QueuesDeadLettersAgainByIdOrSkuOrAllWithNoAttemptsCharged) {
    with_.put(1, 3);
    for (const Job& job : queue_.claim(3).jobs)
        ASSERT_TRUE(fail(job, 1s, 1));
    EXPECT_EQ(queue_.retry({"p-9"}), 0U);
    EXPECT_EQ(queue_.retry({"p-2"}), 1U);
    EXPECT_EQ(queue_.retry({with_.id_of("p-3")}), 1U);
    EXPECT_EQ(with_.queued(), "p-2 p-3");
    EXPECT_EQ(queue_.retry({}), 1U);
    EXPECT_EQ(with_.queued(), "p-2 p-3 p-1");
    EXPECT_TRUE(queue_.dead_letters(10).empty());
    for (const Job& job : queue_.claim(3).jobs)
        EXPECT_EQ(job.attempts, 0);
}

TEST_F(Queue, ForgetsTheDeadLetterOfAProductThatIsDone) {
    with_.put(1, 1);
    ASSERT_TRUE(fail(claim_one(), 1s, 1));
    with_.exec("UPDATE products SET name = 'mended'");
    queue_.remove(ids_of(queue_.claim(1)));
    EXPECT_EQ(queue_.counts().dead, 0U);
}

TEST_F(Queue, PurgesDeadLettersAndWhatWaitsButNothingThatIsHeld) {
    with_.put(1, 4);
    ASSERT_TRUE(fail(claim_one(), 1s, 1));
    fail(claim_one(), 1h);
    const Lease held = queue_.claim(1);
    EXPECT_EQ(queue_.purge(false), 1U);
    EXPECT_EQ(with_.queued(), "p-2 p-3 p-4");
    EXPECT_EQ(queue_.purge(true), 2U);
    EXPECT_EQ(with_.queued(), "p-3");
    EXPECT_EQ(queue_.hold(held.token, ids_of(held)), ids_of(held));
}

TEST_F(Queue, CountsWhatIsReadyDelayedLeasedAndDead) {
    with_.put(1, 6);
    ASSERT_TRUE(fail(claim_one(), 1s, 1));
    fail(claim_one(), 1min);
    queue_.claim(1);
    const store::QueueCounts counts = queue_.counts();
    EXPECT_EQ(counts.ready, 3U);
    EXPECT_EQ(counts.delayed, 1U);
    EXPECT_EQ(counts.leased, 1U);
    EXPECT_EQ(counts.dead, 1U);
    time_.advance(JobQueue::lease_time);
    EXPECT_EQ(queue_.counts().ready, 4U) << "a lease that has run out is as good as none";
}

TEST_F(Queue, SweepsInWhatNoTriggerSawOnce) {
    with_.put(1, 5);
    with_.exec(
        "UPDATE products SET embedding = '[1,2,3,4,5,6,7,8]', last_embedding_update = now() WHERE sku = 'p-1';"
        "UPDATE products SET active = false WHERE sku = 'p-2'");
    queue_.purge(true);
    with_.exec("INSERT INTO decant.embedding_dead_letters SELECT id, 5, 'poison' FROM products WHERE sku = 'p-3'");
    EXPECT_EQ(queue_.sweep(), 2U);
    EXPECT_EQ(queue_.sweep(), 0U);
    with_.exec("UPDATE products SET last_embedding_update = NULL WHERE sku = 'p-1'");
    EXPECT_EQ(queue_.sweep(), 1U);
    EXPECT_EQ(with_.value("SELECT string_agg(sku, ' ' ORDER BY sku) FROM products p JOIN decant.embedding_jobs j ON "
                          "j.product_id = p.id"),
              "p-1 p-4 p-5");
}

/// 1 has a vector, 2 a stale one, 3 one of another model, 4 none, 5 none and is not active.
void put_mixed(const EmbeddingCase& with) {
    with.put(1, 5);
    with.exec(
        "UPDATE products SET embedding = '[1,2,3,4,5,6,7,8]', embedding_model = 'small', last_embedding_update = now() "
        "WHERE sku < 'p-4'; UPDATE products SET last_embedding_update = NULL WHERE sku = 'p-2';"
        "UPDATE products SET embedding_model = 'older' WHERE sku = 'p-3';"
        "UPDATE products SET active = false WHERE sku = 'p-5'");
    with.empty_queue();
}

TEST_F(Queue, ForgetsWaitingJobsThatHaveNothingToDoAndCountsThemAsSkipped) {
    with_.put(1, 6);
    const std::int64_t batch = queue_.enqueue({.kind = ProductSelection::Kind::missing, .model = "small"}).id;
    const Lease leased = queue_.claim(1);  // of p-1
    with_.exec(
        "UPDATE products SET embedding = '[1,0,0,0,0,0,0,0]', embedding_model = 'small', last_embedding_update = now() "
        "WHERE sku <> 'p-6'; UPDATE products SET embedding_model = 'other' WHERE sku = 'p-2';"
        "UPDATE products SET name = 'new' WHERE sku = 'p-3'; UPDATE products SET active = false WHERE sku = 'p-4';"
        "DELETE FROM products WHERE sku = 'p-5'");
    EXPECT_EQ(queue_.drop_fresh("small"), 5U);  // p-1 of the batch, p-4 and p-5 of both
    EXPECT_EQ(with_.queued(), "p-1 p-2 p-3 p-6 p-2 p-3 p-6 p-3");
    EXPECT_EQ(queue_.find_batch(batch)->skipped, 3U);
    EXPECT_EQ(queue_.hold(leased.token, ids_of(leased)).size(), 1U);
}

TEST_F(Queue, ABatchWhoseLastJobsHaveNothingToDoHasEnded) {
    with_.put(1, 3);
    queue_.enqueue({.kind = ProductSelection::Kind::missing, .model = "small"});
    const auto embed = [&](const std::string& skus) {
        with_.exec(
            "UPDATE products SET embedding = '[1,0,0,0,0,0,0,0]', embedding_model = 'small', "
            "last_embedding_update = now() WHERE sku IN (" +
            skus + ")");
        queue_.drop_fresh("small");
    };
    const auto has_ended = [&] { return with_.value("SELECT finished_at IS NOT NULL FROM decant.embedding_batches"); };
    embed("'p-1', 'p-2'");
    EXPECT_EQ(has_ended(), "f");
    embed("'p-3'");
    EXPECT_EQ(has_ended(), "t");
}

TEST_F(Queue, IsAskedForMissingStaleAllOrNamedProducts) {
    using Kind = ProductSelection::Kind;
    put_mixed(with_);
    const auto asked = [&](const ProductSelection& selection) {
        with_.empty_queue();
        const store::JobBatch batch = queue_.enqueue(selection);
        EXPECT_EQ(queue_.find_batch(batch.id)->total, batch.total);
        EXPECT_EQ(with_.jobs(), std::to_string(batch.total));
        return with_.value(
            "SELECT coalesce(string_agg(sku, ' ' ORDER BY sku), '') FROM products p JOIN decant.embedding_jobs j ON "
            "j.product_id = p.id");
    };
    EXPECT_EQ(asked({.kind = Kind::missing, .model = "small"}), "p-4");
    EXPECT_EQ(asked({.kind = Kind::stale, .model = "small"}), "p-2 p-3");
    EXPECT_EQ(asked({.kind = Kind::all, .model = "small"}), "p-1 p-2 p-3 p-4");
    EXPECT_EQ(asked({.kind = Kind::ids, .ids = {"p-5", with_.id_of("p-1"), "p-1"}, .model = "small"}), "p-1 p-5");
}

TEST_F(Queue, RefusesNamesThatNoProductHasBeforeItQueuesAnything) {
    with_.put(1, 1);
    with_.empty_queue();
    try {
        queue_.enqueue({.kind = ProductSelection::Kind::ids, .ids = {"p-1", "p-7", "it's"}, .model = "small"});
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::not_found);
        EXPECT_THAT(error.happened(), testing::HasSubstr("'p-7', 'it''s'"));
    }
    EXPECT_EQ(with_.jobs(), "0");
    EXPECT_EQ(with_.value("SELECT count(*) FROM decant.embedding_batches"), "0");
}

TEST_F(Queue, GivesTheJobsOfOneBatchAloneWithItsDemandAndCountsWhatBecameOfThem) {
    with_.put(1, 3);
    const store::JobBatch batch = queue_.enqueue(
        {.kind = ProductSelection::Kind::ids, .ids = {"p-2"}, .model = "small", .demand = store::Demand::all});
    const Lease lease = queue_.claim(10, batch.id);
    EXPECT_EQ(skus(lease), "p-2");
    EXPECT_EQ(lease.jobs.at(0).demand, store::Demand::all);
    EXPECT_EQ(lease.jobs.at(0).batch, batch.id);
    queue_.count(batch.id, {.updated = 2, .skipped = 1});
    queue_.count(batch.id, {.updated = 1, .errors = 4});
    const auto found = queue_.find_batch(batch.id);
    EXPECT_EQ(found->updated, 3U);
    EXPECT_EQ(found->skipped, 1U);
    EXPECT_EQ(found->errors, 4U);
    EXPECT_FALSE(queue_.find_batch(batch.id + 1));
}

TEST_F(Queue, TellsHowFarABatchIsAndWhenItIsLikelyToBeDone) {
    using State = store::JobBatch::State;
    with_.put(1, 4);
    with_.empty_queue();
    const std::int64_t id = queue_.enqueue({.kind = ProductSelection::Kind::all, .model = "small"}).id;
    EXPECT_EQ(queue_.find_batch(id)->state(), State::pending);
    EXPECT_EQ(queue_.find_batch(id)->started_at, std::nullopt);
    time_.advance(1h);  // nobody worked yet
    const std::string start = time_.text();
    const Lease lease = queue_.claim(1);
    EXPECT_EQ(queue_.find_batch(id)->state(), State::running);
    EXPECT_EQ(queue_.find_batch(id)->estimated_completion, std::nullopt) << "nothing is done to judge by";
    time_.advance(10s);
    queue_.remove(ids_of(lease));
    queue_.count(id, {.updated = 1});
    const auto running = queue_.find_batch(id);
    EXPECT_EQ(running->waiting, 3U);
    EXPECT_EQ(running->started_at, start.substr(0, 10) + "T" + start.substr(11, 8) + "Z");
    time_.advance(30s);
    EXPECT_EQ(running->estimated_completion, time_.text().substr(0, 10) + "T" + time_.text().substr(11, 8) + "Z");
    queue_.remove(ids_of(queue_.claim(10)));
    queue_.count(id, {.skipped = 2, .errors = 1});
    EXPECT_EQ(queue_.find_batch(id)->state(), State::completed);
    EXPECT_EQ(queue_.find_batch(id)->estimated_completion, std::nullopt);
}

TEST_F(Queue, CallsABatchFailedThatIsOverWithoutAProductDone) {
    using State = store::JobBatch::State;
    with_.put(1, 1);
    with_.empty_queue();
    const std::int64_t empty = queue_.enqueue({.kind = ProductSelection::Kind::stale, .model = "small"}).id;
    EXPECT_EQ(queue_.find_batch(empty)->state(), State::completed) << "there was nothing to do";
    const std::int64_t id = queue_.enqueue({.kind = ProductSelection::Kind::all, .model = "small"}).id;
    ASSERT_TRUE(fail(claim_one(), 1s, 1));
    queue_.count(id, {.errors = 1});
    EXPECT_EQ(queue_.find_batch(id)->state(), State::failed);
}

TEST_F(Queue, GivesNoMoreAtOnceThanABatchAsksFor) {
    with_.put(1, 5);
    with_.empty_queue();
    queue_.enqueue({.kind = ProductSelection::Kind::all, .model = "small", .batch_size = 2});
    EXPECT_EQ(queue_.claim(10).jobs.size(), 2U);
    EXPECT_EQ(queue_.claim(1).jobs.size(), 1U);
    queue_.enqueue({.kind = ProductSelection::Kind::all, .model = "small"});
    EXPECT_EQ(queue_.claim(10).jobs.size(), 2U) << "also where they stand beside others";
    EXPECT_EQ(queue_.claim(10).jobs.size(), 5U);
}

TEST_F(Queue, EstimatesItsTimeByTheNewestBatchThatTells) {
    with_.put(1, 100);
    with_.empty_queue();
    EXPECT_EQ(queue_.estimate_wait(), 0s);
    const std::int64_t id = queue_.enqueue({.kind = ProductSelection::Kind::all, .model = "small"}).id;
    EXPECT_EQ(queue_.estimate_wait(), 5s) << "at 20 a second where nothing is known";
    const Lease lease = queue_.claim(100);
    time_.advance(50s);
    queue_.remove(ids_of(lease));
    queue_.count(id, {.updated = 100});
    queue_.enqueue({.kind = ProductSelection::Kind::all, .model = "small"});
    EXPECT_EQ(queue_.estimate_wait(), 50s);
}

TEST_F(Queue, WakesWhoListensWhenProductsAreAskedForOrTriedAgain) {
    with_.put(1, 1);
    ASSERT_TRUE(fail(claim_one(), 1s, 1));
    other_db_.exec("LISTEN decant_embedding_jobs");
    queue_.retry({});
    EXPECT_TRUE(other_db_.wait_for_notification(10s));
    queue_.enqueue({.kind = ProductSelection::Kind::all, .model = "small"});
    EXPECT_TRUE(other_db_.wait_for_notification(10s));
}

TEST(QueueOfACatalogWithoutIt, SaysWhichCommandMakesIt) {
    const SchemaCase with{ThrowawayCluster::shared().create_database()};
    auto db = with.open();
    try {
        JobQueue{db}.require();
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::not_found);
        EXPECT_THAT(error.remedy(), testing::HasSubstr("decant schema up"));
    }
}

}  // namespace
}  // namespace decant::test
