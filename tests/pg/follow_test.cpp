// A copy that follows the queue of its collection, on directories made without Chroma; with a real one beside it:
// tests/chroma_real.

#include <fmt/format.h>
#include <signal.h>
#include <sqlite3.h>

#include <algorithm>
#include <atomic>
#include <boost/json/parse.hpp>
#include <sstream>

#include "tests/support/copy_case.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/tcp_proxy.hpp"

namespace decant::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

void change_queue(const SyntheticChroma& source, const std::string& sql) {
    sqlite3* db = nullptr;
    const int opened = sqlite3_open((source.path() / "chroma.sqlite3").c_str(), &db);
    const bool is_done = opened == SQLITE_OK && sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK;
    sqlite3_close(db);
    if (!is_done) throw std::runtime_error("the queue cannot be changed");
}

/// Takes rows of the queue away up to that seq_id, as Chroma does with what it has applied.
void purge_queue(const SyntheticChroma& source, int up_to) {
    change_queue(source, fmt::format("DELETE FROM embeddings_queue WHERE seq_id <= {}", up_to));
}

class FollowTest : public testing::Test {
protected:
    std::vector<std::string> arguments() const {
        std::vector<std::string> all = with_.copy_arguments({"--follow", "--interval", "1", "--index", "none"});
        return all;
    }
    RunningDecant start(const std::string& failpoint = "") const {
        return with_.decant().start(arguments(), failpoint.empty()
                                                     ? std::vector<std::string>{}
                                                     : std::vector<std::string>{"DECANT_FAILPOINT=" + failpoint});
    }

    static std::vector<boost::json::value> passes_of(const RunningDecant& decant) {
        std::vector<boost::json::value> passes;
        std::istringstream lines{decant.out()};
        for (std::string line; std::getline(lines, line) && !lines.eof();)
            passes.push_back(boost::json::parse(line));
        return passes;
    }
    /// The last of `count` passes. Throws when there are not as many within half a minute.
    static boost::json::value pass(const RunningDecant& decant, std::size_t count) {
        if (!eventually(30s, [&] { return passes_of(decant).size() >= count; }))
            throw std::runtime_error("no pass " + std::to_string(count) + ": " + decant.out() + decant.err());
        return passes_of(decant).at(count - 1);
    }
    static void stop(RunningDecant& decant) {
        decant.signal(SIGTERM);
        const Outcome outcome = decant.wait();
        EXPECT_EQ(outcome.exit_code, 0) << outcome.told();
    }
    void expect_equal() const {
        const Outcome diff = with_.decant().run({"diff", "products"});
        EXPECT_EQ(diff.exit_code, 0) << diff.told();
    }
    static std::uint64_t number(const boost::json::value& pass, std::string_view name) {
        return pass.at(name).to_number<std::uint64_t>();
    }

    CopyCase with_;
};

TEST_F(FollowTest, AppliesWhatTheQueueTellsAndNoMore) {
    with_.source().put_samples(0, 100);
    RunningDecant decant = start();
    EXPECT_EQ(number(pass(decant, 1), "inserted"), 100U);

    with_.source().put_samples(100, 7);
    const auto inserted = pass(decant, 2);
    EXPECT_FALSE(inserted.at("full").as_bool());
    EXPECT_EQ(number(inserted, "inserted"), 7U);
    EXPECT_EQ(number(inserted, "updated") + number(inserted, "deleted"), 0U);

    with_.source().put_samples(10, 5, 1);
    with_.source().put_samples(20, 2);  // the same again
    const std::vector<std::string> gone{sample_record(3, 32).id, sample_record(104, 32).id};
    with_.source().remove(gone);
    ASSERT_TRUE(eventually(30s, [&] { return number(passes_of(decant).back(), "seq_id") == 116U; })) << decant.out();
    stop(decant);
    std::uint64_t updated = 0;
    std::uint64_t deleted = 0;
    for (const boost::json::value& one : passes_of(decant)) {
        updated += number(one, "updated");
        deleted += number(one, "deleted");
    }
    EXPECT_EQ(updated, 5U);
    EXPECT_EQ(deleted, 2U);
    expect_equal();
}

TEST_F(FollowTest, F1_GoesOnWhereAKilledOneWas) {
    with_.source().put_samples(0, 50);
    for (const char* failpoint :
         {"follow.pass_begun", "follow.rows_written", "follow.position_written", "follow.pass_committed"}) {
        RunningDecant killed = start(std::string{failpoint} + ":1");
        if (with_.value("SELECT to_regclass('products') IS NULL") == "t") pass(killed, 1);
        with_.source().put_samples(40, 20, std::hash<std::string_view>{}(failpoint) % 1000);
        EXPECT_EQ(killed.wait().exit_code, 128 + SIGKILL) << failpoint;

        RunningDecant decant = start();
        if (std::string_view{failpoint} != "follow.pass_committed") {
            EXPECT_FALSE(pass(decant, 1).at("full").as_bool()) << failpoint;
        } else {
            with_.source().put_samples(0, 1, 9);
            EXPECT_EQ(number(pass(decant, 1), "updated"), 1U) << "and nothing of what was committed";
        }
        stop(decant);
        expect_equal();
    }
}

TEST_F(FollowTest, F1_ComparesEverythingWhereRowsOfTheQueueWerePurged) {
    with_.source().put_samples(0, 30);
    RunningDecant decant = start();
    pass(decant, 1);
    stop(decant);
    with_.source().put_samples(0, 30, 1);  // so that every vector stands in rows 31 to 60
    purge_queue(with_.source(), 30);
    with_.exec("DELETE FROM products WHERE id = '" + sample_record(7, 32).id + "'");

    RunningDecant later = start();
    const auto full = pass(later, 1);
    EXPECT_TRUE(full.at("full").as_bool());
    EXPECT_THAT(std::string{full.at("why").as_string()}, HasSubstr("purged"));
    EXPECT_EQ(number(full, "inserted"), 1U) << "what no row of the queue would have told";
    with_.source().put_samples(5, 1, 2);
    EXPECT_FALSE(pass(later, 2).at("full").as_bool());
    stop(later);
    expect_equal();
    EXPECT_EQ(with_.value("SELECT count(*) FROM decant.runs"), "2");
}

TEST(FollowOldChroma, ComparesEverythingWhenOnlyThePickleTellsThatCosineVectorsMovedIntoTheIndex) {
    CopyCase with{{.dimension = 32, .space = "cosine"}};
    with.source().put_samples(0, 20);
    RunningDecant decant = with.decant().start(with.copy_arguments({"--follow", "--interval", "1", "--index", "none"}));
    const auto has_passes = [&](std::ptrdiff_t count) {
        return eventually(30s, [&] { return std::ranges::count(decant.out(), '\n') == count; });
    };
    ASSERT_TRUE(has_passes(1)) << decant.err();
    for (const int moved : {10, 20}) {
        with.source().write_pickle(moved);
        ASSERT_TRUE(has_passes(moved / 10 + 1)) << decant.err();
        EXPECT_EQ(with.value("SELECT applied FROM decant.follows"), std::to_string(moved));
    }
    decant.signal(SIGTERM);
    const Outcome outcome = decant.wait();
    EXPECT_EQ(outcome.exit_code, 0);
    EXPECT_THAT(outcome.out, HasSubstr("vectors moved into the index"));
}

TEST_F(FollowTest, F1_ComparesEverythingWhereTheDirectoryWasRestored) {
    with_.source().put_samples(0, 30);
    RunningDecant decant = start();
    pass(decant, 1);
    stop(decant);
    // The seq_ids of a restored directory are given once more.
    change_queue(with_.source(), "UPDATE embeddings_queue SET created_at = '2001-02-03 04:05:06' WHERE seq_id = 30");
    with_.source().put_samples(30, 1);
    RunningDecant again = start();
    EXPECT_TRUE(pass(again, 1).at("full").as_bool());
    stop(again);
    expect_equal();
}

TEST_F(FollowTest, BringsATableUpAgainThatWasRolledBack) {
    with_.source().put_samples(0, 20);
    with_.copied({"--index", "none"});
    with_.source().put_samples(20, 20);
    with_.copied({"--index", "none", "--replace"});
    RunningDecant decant = start();
    pass(decant, 1);
    stop(decant);
    ASSERT_EQ(with_.decant().run({"rollback", "products", "--force"}).exit_code, 0);
    ASSERT_EQ(with_.value("SELECT count(*) FROM products"), "20");

    RunningDecant later = start();
    EXPECT_EQ(number(pass(later, 1), "inserted"), 20U);
    stop(later);
    expect_equal();
}

TEST_F(FollowTest, MakesATableAnewThatWasDropped) {
    with_.source().put_samples(0, 20);
    RunningDecant decant = start();
    pass(decant, 1);
    stop(decant);
    with_.exec("DROP TABLE products");

    RunningDecant later = start();
    EXPECT_EQ(number(pass(later, 1), "inserted"), 20U);
    with_.source().put_samples(20, 5);
    EXPECT_EQ(number(pass(later, 2), "inserted"), 5U);
    stop(later);
    expect_equal();
}

TEST_F(FollowTest, F1_WaitsForADatabaseThatIsAway) {
    with_.source().put_samples(0, 10);
    ThrowawayCluster& cluster = ThrowawayCluster::shared();
    std::atomic<bool> is_away = false;
    const auto filter = [&](std::string&) { return is_away ? TcpProxy::Action::drop : TcpProxy::Action::pass; };
    const TcpProxy proxy{cluster.folder() / fmt::format(".s.PGSQL.{}", cluster.port()), {filter, filter}};
    const DecantProgram through{proxy.conninfo(with_.value("SELECT current_database()"))};
    RunningDecant decant = through.start(arguments());
    pass(decant, 1);
    is_away = true;
    with_.source().put_samples(10, 10);
    EXPECT_TRUE(eventually(30s, [&] { return decant.err().find("tried again") != std::string::npos; })) << decant.err();
    is_away = false;
    EXPECT_EQ(number(pass(decant, 2), "inserted"), 10U);
    stop(decant);
    expect_equal();
}

TEST_F(FollowTest, RefusesServersAndWhatIsNoTableOfItsOwn) {
    const Outcome server = with_.decant().run({"copy", "--from", "http://localhost:1", "--follow"});
    EXPECT_THAT(server.err, HasSubstr("does not show its queue"));
    const Outcome all = with_.decant().run({"copy", "--from", "x", "--follow", "--all-collections"});
    EXPECT_THAT(all.err, HasSubstr("--follow was given with"));
    EXPECT_THAT(with_.decant().run({"copy", "--interval", "5"}).err, HasSubstr("belongs to --follow"));
}

}  // namespace
}  // namespace decant::test
