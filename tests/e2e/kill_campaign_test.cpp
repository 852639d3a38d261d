#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "core/failpoint_names.hpp"
#include "tests/support/copy_case.hpp"
#include "tests/support/eventually.hpp"

namespace decant::test {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t rows = 2'000;
constexpr std::uint64_t page_rows = 50;

/// Of a copy; migrations have a campaign of their own.
std::vector<std::string_view> copy_failpoints() {
    std::vector<std::string_view> names;
    for (const std::string_view name : failpoint_names) {
        if (name.starts_with("copy.")) names.push_back(name);
    }
    return names;
}

std::uint64_t number_of_environment(const char* name, std::uint64_t otherwise) {
    const char* text = std::getenv(name);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

/// Rows inserted, updated and deleted, those of transactions that were rolled back included.
std::int64_t rows_written(pg::Connection& db) {
    return db
        .exec(
            "SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0)::bigint FROM pg_stat_user_tables "
            "WHERE relname = 'products'")
        .integer(0, 0);
}

/// One kind of copy: its source, the database it starts from, and what an uninterrupted copy gives.
class Scenario {
public:
    enum class Kind { fresh, later, replace };

    explicit Scenario(Kind kind) : kind_(kind), with_({.dimension = 8}) {
        with_.source().put_samples(0, rows);
        if (kind == Kind::later) make_changes();
        if (kind == Kind::replace) {
            with_.exec(
                "CREATE TABLE products AS SELECT i::text AS id, 'mine ' || i AS name FROM generate_series(1, 50) i");
            previous_ = with_.content();
        }
        const std::unique_ptr<DecantProgram> decant = clone();
        const Outcome whole = decant->run(arguments());
        if (whole.exit_code != 0) throw std::runtime_error(whole.told());
        root_ = whole.json().at("root").as_string();
        seconds_ = whole.seconds;
        auto db = pg::Connection::open(decant->conninfo());
        written_ = rows_written(db);
        drop(*decant);
    }

    std::string name() const {
        return kind_ == Kind::fresh ? "fresh" : kind_ == Kind::later ? "later, with --prune" : "--replace";
    }
    std::vector<std::string> arguments() const {
        std::vector<std::string> all = with_.copy_arguments({"--batch-size", std::to_string(page_rows)});
        if (kind_ == Kind::later) all.emplace_back("--prune");
        if (kind_ == Kind::replace) all.emplace_back("--replace");
        return all;
    }
    double seconds() const { return seconds_; }
    bool has_failpoint(std::string_view failpoint) const {
        return kind_ == Kind::replace || failpoint != "copy.swapped";
    }

    /// A new database in the state that the copy starts from.
    std::unique_ptr<DecantProgram> clone() {
        const std::string& conninfo = with_.decant().conninfo();
        const std::string database = conninfo.substr(conninfo.rfind('=') + 1);
        const std::string copy = fmt::format("{}_{}", database, ++clones_);
        pg::Connection::open(ThrowawayCluster::shared().conninfo())
            .exec(fmt::format("CREATE DATABASE {} TEMPLATE {}", copy, database));
        return std::make_unique<DecantProgram>(ThrowawayCluster::shared().conninfo(copy));
    }
    static void drop(const DecantProgram& decant) {
        const std::string& conninfo = decant.conninfo();
        pg::Connection::open(ThrowawayCluster::shared().conninfo())
            .exec(fmt::format("DROP DATABASE {} WITH (FORCE)", conninfo.substr(conninfo.rfind('=') + 1)));
    }

    /// Expects the state of an uninterrupted copy; the rows that were written more than once.
    std::int64_t check(const DecantProgram& decant, const boost::json::object& report) const {
        expect_counts_add_up(report);
        EXPECT_EQ(report.at("root").as_string(), root_);
        for (const char* side : {"source", "digests"}) {
            const Outcome verified = decant.run({"verify", "products", "--against", side});
            EXPECT_EQ(verified.exit_code, 0) << verified.told();
        }
        auto db = pg::Connection::open(decant.conninfo());
        EXPECT_EQ(db.exec("SELECT count(*) FROM pg_index WHERE NOT indisvalid").integer(0, 0), 0);
        EXPECT_EQ(db.exec("SELECT count(*) FROM pg_indexes WHERE tablename = 'products'").integer(0, 0), 3);
        EXPECT_EQ(db.exec("SELECT count(*) FROM pg_class WHERE relname ~ '__decant_new'").integer(0, 0), 0);
        const std::int64_t redone = rows_written(db) - written_;
        // A kill after the end lets the next run replace the first one's table, which is then the previous one.
        const bool has_ended_once = db.exec("SELECT count(*) FROM decant.runs WHERE state = 'done'").integer(0, 0) == 1;
        if (kind_ == Kind::replace && has_ended_once) check_rollback(decant);
        return redone;
    }

private:
    void make_changes() {
        with_.copied();
        with_.source().put_samples(200, 400, 1);
        with_.source().put_samples(rows, 300);
        std::vector<std::string> removed;
        for (std::uint64_t number = 1000; number < 1100; ++number)
            removed.push_back(sample_record(number, 8).id);
        with_.source().remove(removed);
    }

    void check_rollback(const DecantProgram& decant) const {
        const Outcome back = decant.run({"rollback", "products"});
        EXPECT_EQ(back.exit_code, 0) << back.told();
        auto db = pg::Connection::open(decant.conninfo());
        EXPECT_EQ(db.exec("SELECT md5(string_agg(t::text, E'\\n' ORDER BY id)) || ' ' || count(*) FROM products t")
                      .text(0, 0),
                  previous_);
    }

    Kind kind_;
    CopyCase with_;
    std::string previous_;
    boost::json::string root_;
    std::int64_t written_ = 0;
    double seconds_ = 0;
    int clones_ = 0;
};

struct Figures {
    std::uint64_t kills = 0;
    std::uint64_t trials = 0;
    std::uint64_t met_lock = 0;  ///< runs begun before the server had noticed the death of the one before
    std::int64_t rows_redone = 0;
    std::int64_t most_rows_redone_a_kill = 0;
    std::map<std::string, std::uint64_t> by_place;
};

class Campaign {
public:
    explicit Campaign(std::uint64_t seed) : random_(seed) {
        for (const auto kind : {Scenario::Kind::fresh, Scenario::Kind::later, Scenario::Kind::replace})
            scenarios_.push_back(std::make_unique<Scenario>(kind));
    }

    Figures run(std::uint64_t kills) {
        // Every failpoint of every scenario first, then as chance has it.
        for (const std::string_view failpoint : failpoints_) {
            for (const auto& scenario : scenarios_) {
                if (figures_.kills < kills && scenario->has_failpoint(failpoint)) try_one(*scenario, failpoint);
            }
        }
        while (figures_.kills < kills && !testing::Test::HasFailure())
            try_one(*scenarios_[random_() % scenarios_.size()], {});
        return figures_;
    }

private:
    /// Kills a copy, the copy that goes on, perhaps that one too, and lets the next end.
    void try_one(Scenario& scenario, std::string_view failpoint) {
        SCOPED_TRACE(fmt::format("{}, trial {}", scenario.name(), figures_.trials));
        const std::unique_ptr<DecantProgram> decant = scenario.clone();
        ++figures_.trials;
        std::int64_t kills = kill_one(scenario, *decant, failpoint);
        while (random_() % 3 == 0)
            kills += kill_one(scenario, *decant, {});
        const Outcome ended = run_to_its_end(scenario, *decant);
        EXPECT_EQ(ended.exit_code, 0) << ended.told();
        if (ended.exit_code != 0) return;
        const std::int64_t redone = scenario.check(*decant, ended.json().as_object());
        EXPECT_LE(redone, kills * static_cast<std::int64_t>(page_rows));
        figures_.rows_redone += redone;
        if (kills > 0) figures_.most_rows_redone_a_kill = std::max(figures_.most_rows_redone_a_kill, redone / kills);
        Scenario::drop(*decant);
    }

    /// 1 when the copy was killed before its end. Without a failpoint at one by chance, or at a time by chance.
    std::int64_t kill_one(const Scenario& scenario, const DecantProgram& decant, std::string_view failpoint) {
        std::string place{failpoint};
        if (place.empty() && random_() % 2 == 0) place = failpoints_[random_() % failpoints_.size()];
        Outcome outcome;
        if (!place.empty()) {
            const bool is_of_pages = place != "copy.run_begun" && place != "copy.loaded" &&
                                     place != "copy.index_built" && place != "copy.indexed" &&
                                     place != "copy.verified" && place != "copy.swapped";
            const std::uint64_t times = is_of_pages && failpoint.empty() ? 1 + random_() % 20 : 1;
            outcome = decant.run(scenario.arguments(), {fmt::format("DECANT_FAILPOINT={}:{}", place, times)});
        } else {
            place = "a time by chance";
            const auto most = static_cast<std::uint64_t>(scenario.seconds() * 1e6);
            RunningDecant running = decant.start(scenario.arguments());
            std::this_thread::sleep_for(std::chrono::microseconds{random_() % most});
            running.signal(SIGKILL);
            outcome = running.wait();
        }
        if (outcome.exit_code == 128 + SIGKILL) {
            ++figures_.kills;
            ++figures_.by_place[place];
            return 1;
        }
        EXPECT_THAT(outcome.exit_code, testing::AnyOf(0, 75)) << outcome.told();
        return 0;
    }

    Outcome run_to_its_end(const Scenario& scenario, const DecantProgram& decant) {
        Outcome outcome;
        eventually(5s, [&] {
            outcome = decant.run(scenario.arguments());
            const bool is_busy = outcome.exit_code == 75 && outcome.err.find("busy") != std::string::npos;
            if (is_busy) ++figures_.met_lock;
            return !is_busy;
        });
        return outcome;
    }

    const std::vector<std::string_view> failpoints_ = copy_failpoints();
    std::mt19937_64 random_;
    std::vector<std::unique_ptr<Scenario>> scenarios_;
    Figures figures_;
};

/// KILL_CAMPAIGN_KILLS (60) and KILL_CAMPAIGN_SEED (1) say how long and which.
TEST(LongKillCampaign, M1_NothingIsLostOrDoubledAndAtMostAPageRedoneHoweverOftenACopyIsKilled) {
    const std::uint64_t kills = number_of_environment("KILL_CAMPAIGN_KILLS", 60);
    const std::uint64_t seed = number_of_environment("KILL_CAMPAIGN_SEED", 1);
    const auto start = std::chrono::steady_clock::now();
    const Figures figures = Campaign{seed}.run(kills);
    EXPECT_GE(figures.kills, kills);
    fmt::print(
        "{} kills in {} copies, seed {}, {:.0f} s; {} rows redone in all, at most {} a kill (a page has {}); "
        "{} runs met the lock of the one before\n",
        figures.kills, figures.trials, seed,
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(), figures.rows_redone,
        figures.most_rows_redone_a_kill, page_rows, figures.met_lock);
    for (const auto& [place, count] : figures.by_place)
        fmt::print("  {:<26} {}\n", place, count);
}

}  // namespace
}  // namespace decant::test
