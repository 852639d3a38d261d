#include <fmt/format.h>
#include <gmock/gmock.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "core/failpoint_names.hpp"
#include "tests/support/dux_case.hpp"
#include "tests/support/eventually.hpp"

namespace decant::test {
namespace {

using namespace std::chrono_literals;
namespace json = boost::json;
using testing::AnyOf;
using testing::HasSubstr;

std::vector<std::string_view> sync_failpoints() {
    std::vector<std::string_view> names;
    for (const std::string_view name : failpoint_names) {
        if (name.starts_with("sync.")) names.push_back(name);
    }
    return names;
}

/// A catalog after its first sync, and the shop after a day of changes.
class Yesterday {
public:
    explicit Yesterday(std::size_t articles) : with_({.seed = 3, .articles = articles}) {
        const Outcome first = with_.sync();
        if (first.exit_code != 0) throw std::runtime_error(first.told());
        with_.shop().scan();
        change(articles);
        with_.show();
    }

    DuxCase& with() noexcept { return with_; }

    /// The program against a copy of the catalog of its own.
    std::unique_ptr<DecantProgram> clone() {
        const std::string database = database_of(with_.decant().conninfo());
        const std::string copy = fmt::format("{}_{}", database, ++clones_);
        pg::Connection::open(ThrowawayCluster::shared().conninfo())
            .exec(fmt::format("CREATE DATABASE {} TEMPLATE {}", copy, database));
        return std::make_unique<DecantProgram>(ThrowawayCluster::shared().conninfo(copy));
    }
    static void drop(const DecantProgram& decant) {
        pg::Connection::open(ThrowawayCluster::shared().conninfo())
            .exec(fmt::format("DROP DATABASE {} WITH (FORCE)", database_of(decant.conninfo())));
    }

    Outcome run(const DecantProgram& decant, const std::vector<std::string>& environment = {}) const {
        return decant.run(DuxCase::arguments(), with_.environment(environment));
    }

    /// Runs until the lock of the one that died is gone; expects the catalog of the day.
    void end(const DecantProgram& decant) {
        Outcome outcome;
        eventually(20s, [&] {
            outcome = run(decant);
            return outcome.exit_code != 75;
        });
        EXPECT_EQ(outcome.exit_code, 0) << outcome.told();
        EXPECT_EQ(difference(DuxCase::rows_of(decant.conninfo()), with_.shop().rows()), "");
        auto db = pg::Connection::open(decant.conninfo());
        EXPECT_EQ(
            db.exec("SELECT count(*) FROM (SELECT FROM products GROUP BY sku HAVING count(*) > 1) d").integer(0, 0), 0);
        EXPECT_EQ(db.exec("SELECT state FROM decant.sync_runs ORDER BY id DESC LIMIT 1").text(0, 0), "complete");
    }

private:
    void change(std::size_t articles) {
        Shop& shop = with_.shop();
        shop.add(articles / 10);
        shop.remove(articles / 10);
        shop.rename(articles / 10);
        shop.reprice(articles / 3);
        shop.restock(articles / 3);
        shop.rename_rubro(2, "Rubro 2 de hoy");
        shop.rebrand(articles / 10);
        shop.scan();
    }

    DuxCase with_;
    int clones_ = 0;
};

/// Kills at every failpoint for the first, second and a later time, then before pages by chance.
class Kills {
public:
    explicit Kills(std::size_t articles) : from_(articles) {}

    void at_every_failpoint(const std::vector<int>& times) {
        ASSERT_THAT(sync_failpoints(), testing::Not(testing::IsEmpty()));
        for (const std::string_view failpoint : sync_failpoints()) {
            std::uint64_t killed = 0;
            for (const int nth : times)
                killed += try_one(fmt::format("{}:{}", failpoint, nth)) ? 1U : 0U;
            EXPECT_GE(killed, 1U) << failpoint << " is not passed";
        }
    }

    void before_pages(std::uint64_t count, std::uint64_t seed) {
        std::mt19937_64 random{seed};
        for (std::uint64_t i = 0; i < count && !testing::Test::HasFailure(); ++i)
            kill_before_pages(random);
    }

    std::uint64_t kills() const noexcept { return kills_; }
    std::vector<std::string> violations() { return from_.with().server().violations(); }

private:
    bool try_one(const std::string& failpoint) {
        SCOPED_TRACE(failpoint);
        const auto decant = from_.clone();
        const Outcome outcome = from_.run(*decant, {"DECANT_FAILPOINT=" + failpoint});
        const bool is_killed = outcome.exit_code == 128 + SIGKILL;
        EXPECT_THAT(outcome.exit_code, AnyOf(0, 128 + SIGKILL)) << outcome.told();
        kills_ += is_killed ? 1U : 0U;
        from_.end(*decant);
        Yesterday::drop(*decant);
        return is_killed;
    }

    /// One run is killed when it asks for a page, the one that goes on perhaps too.
    void kill_before_pages(std::mt19937_64& random) {
        const auto decant = from_.clone();
        do {
            std::atomic<int> pages_left{1 + static_cast<int>(random() % 12)};
            std::atomic<pid_t> pid{0};
            from_.with().server().watch([&](std::size_t) {
                if (--pages_left == 0 && eventually(5s, [&] { return pid != 0; })) ::kill(pid, SIGKILL);
            });
            RunningDecant running = decant->start(DuxCase::arguments(), from_.with().environment());
            pid = running.pid();
            const Outcome outcome = running.wait();
            from_.with().server().watch({});
            EXPECT_THAT(outcome.exit_code, AnyOf(0, 75, 128 + SIGKILL)) << outcome.told();
            kills_ += outcome.exit_code == 128 + SIGKILL ? 1U : 0U;
        } while (random() % 3 == 0);
        from_.end(*decant);
        Yesterday::drop(*decant);
    }

    Yesterday from_;
    std::uint64_t kills_ = 0;
};

TEST(DuxKills, S4_ASyncThatIsKilledAtAnyFailpointEndsWithTheNextOne) {
    Kills{160}.at_every_failpoint({1, 2});
}

/// DUX_KILLS (60) says how many before pages, DUX_KILL_SEED (1) which.
TEST(LongDuxKills, S4_ASyncThatIsKilledAnywhereAndAgainEndsWithTheNextOne) {
    const char* count = std::getenv("DUX_KILLS");
    const char* seed = std::getenv("DUX_KILL_SEED");
    Kills kills{800};
    kills.at_every_failpoint({1, 2, 9});
    kills.before_pages(count == nullptr ? 60 : std::strtoull(count, nullptr, 10),
                       seed == nullptr ? 1 : std::strtoull(seed, nullptr, 10));
    fmt::print("{} kills\n", kills.kills());
    EXPECT_EQ(kills.violations(), std::vector<std::string>{});
}

/// A sync that stands still before its third page, and goes on when it is told.
class StoppedSync {
public:
    explicit StoppedSync(DuxCase& with) {
        std::atomic<int> pages_left{3};
        with.server().watch([&](std::size_t) {
            if (--pages_left == 0 && eventually(5s, [&] { return pid_ != 0; })) ::kill(pid_, SIGSTOP);
        });
        process_ = std::make_unique<RunningDecant>(with.start_sync());
        pid_ = process_->pid();
        EXPECT_TRUE(eventually(20s, [&] { return pages_left <= 0; }));
        with.server().watch({});
    }
    Outcome go_on() {
        process_->signal(SIGCONT);
        return process_->wait();
    }

private:
    std::atomic<pid_t> pid_{0};
    std::unique_ptr<RunningDecant> process_;
};

TEST(DuxKills, S4_ASecondSyncIsSkippedWithALineWhileTheFirstStandsStill) {
    DuxCase with;
    StoppedSync first{with};
    const std::size_t asked = with.server().offsets().size();
    const Outcome second = with.sync();
    EXPECT_EQ(second.exit_code, 75) << second.told();
    EXPECT_THAT(second.err, HasSubstr("busy"));
    EXPECT_EQ(with.server().offsets().size(), asked) << "the second one asked the ERP";
    const Outcome ended = first.go_on();
    EXPECT_EQ(ended.exit_code, 0) << ended.told();
    with.shop().scan();
    EXPECT_EQ(difference(with.rows(), with.shop().rows()), "");
    EXPECT_EQ(with.server().violations(), std::vector<std::string>{});
}

/// The server forgets a sync that stands still (its connection is ended), and another one runs: what the first one
/// still has in hand must not overwrite what the second has read since.
TEST(DuxKills, J3_S4_ASyncThatHasLostItsLockWritesNothingOverTheNextOne) {
    DuxCase with;
    StoppedSync first{with};
    with.exec(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> "
        "pg_backend_pid() AND backend_type = 'client backend'");
    with.shop().reprice(60);
    with.shop().rename(20);
    with.show();
    Outcome second;
    EXPECT_TRUE(eventually(20s, [&] {
        second = with.sync();
        return second.exit_code != 75;
    })) << second.told();
    EXPECT_EQ(second.exit_code, 0) << second.told();
    with.shop().scan();
    EXPECT_EQ(difference(with.rows(), with.shop().rows()), "");
    const Outcome ended = first.go_on();
    EXPECT_NE(ended.exit_code, 128 + SIGKILL) << ended.told();
    EXPECT_EQ(difference(with.rows(), with.shop().rows()), "");
}

}  // namespace
}  // namespace decant::test
