#include <fmt/format.h>
#include <gmock/gmock.h>
#include <signal.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <random>
#include <string>
#include <string_view>
#include <thread>

#include "core/failpoint_names.hpp"
#include "tests/support/catalog_case.hpp"
#include "tests/support/eventually.hpp"

namespace decant::test {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t products = 1'200;  ///< of which Chroma has two thirds; enough for the index to be made anew
constexpr std::uint64_t batch = 20;

std::uint64_t kills_wanted() {
    const char* text = std::getenv("MIGRATE_KILLS");
    return text == nullptr ? 60 : std::strtoull(text, nullptr, 10);
}

std::vector<std::string_view> migrate_failpoints() {
    std::vector<std::string_view> names;
    for (const std::string_view name : failpoint_names) {
        if (name.starts_with("migrate.") && name != "migrate.products_created") names.push_back(name);
    }
    return names;
}

/// A catalog, and migrations of copies of it that are killed on their way or lose their server.
class Campaign {
public:
    Campaign() : cluster_({.is_durable = true}), with_(cluster_) {
        with_.put_products(0, products);
        with_.put_records(0, products * 2 / 3);
        const std::string whole = clone();
        const Outcome outcome = run(whole);
        if (outcome.exit_code != 0) throw std::runtime_error(outcome.told());
        expected_ = embeddings(whole);
        seconds_ = outcome.seconds;
    }

    void run_all(std::uint64_t kills) {
        const auto failpoints = migrate_failpoints();
        for (std::uint64_t trial = 0; kills_ < kills && !testing::Test::HasFailure(); ++trial)
            try_one(trial < failpoints.size() ? failpoints[trial] : std::string_view{});
        fmt::print("{} kills and {} restarts of the server in {} migrations; {} runs met the lock of the one before\n",
                   kills_, restarts_, clones_ - 1, met_lock_);
    }

private:
    std::string clone() {
        const std::string& conninfo = with_.decant().conninfo();
        const std::string database = conninfo.substr(conninfo.rfind('=') + 1);
        const std::string copy = fmt::format("{}_{}", database, ++clones_);
        pg::Connection::open(cluster_.conninfo()).exec(fmt::format("CREATE DATABASE {} TEMPLATE {}", copy, database));
        return copy;
    }

    static std::vector<std::string> arguments(const CatalogCase& with) {
        return with.arguments({"--batch-size", std::to_string(batch)});
    }

    Outcome run(const std::string& database, const std::vector<std::string>& environment = {}) {
        return DecantProgram{cluster_.conninfo(database)}.run(arguments(with_), environment);
    }

    std::string embeddings(const std::string& database) {
        return std::string{pg::Connection::open(cluster_.conninfo(database))
                               .exec("SELECT md5(string_agg(sku || embedding::text || embedding_model || "
                                     "embedding_version, '|' ORDER BY sku)) FROM products WHERE embedding IS NOT NULL")
                               .text(0, 0)};
    }

    void try_one(std::string_view failpoint) {
        const std::string database = clone();
        SCOPED_TRACE(fmt::format("trial {}, failpoint '{}'", clones_ - 1, failpoint));
        do {
            hurt(database, failpoint);
            failpoint = {};
        } while (random_() % 3 == 0);
        Outcome ended;
        eventually(20s, [&] {
            ended = run(database);
            const bool is_busy = ended.exit_code == 75 && ended.err.find("busy") != std::string::npos;
            if (is_busy) ++met_lock_;
            return !is_busy;
        });
        EXPECT_EQ(ended.exit_code, 0) << ended.told();
        EXPECT_EQ(embeddings(database), expected_);
        auto db = pg::Connection::open(cluster_.conninfo(database));
        EXPECT_EQ(db.exec("SELECT count(*) FROM products").integer(0, 0), static_cast<std::int64_t>(products));
        EXPECT_EQ(
            db.exec("SELECT string_agg(indexrelid::regclass::text, ' ') FROM pg_index i JOIN pg_class c ON c.oid = "
                    "indexrelid JOIN pg_am a ON a.oid = c.relam WHERE amname = 'hnsw' AND indisvalid")
                .text(0, 0),
            "idx_products_embedding_hnsw");
        EXPECT_EQ(db.exec("SELECT count(*) FROM pg_index WHERE NOT indisvalid").integer(0, 0), 0);
        pg::Connection::open(cluster_.conninfo()).exec(fmt::format("DROP DATABASE {} WITH (FORCE)", database));
    }

    /// Kills a migration, or restarts the server under it: that one goes on by itself.
    void hurt(const std::string& database, std::string_view failpoint) {
        Outcome outcome;
        if (!failpoint.empty() || random_() % 2 == 0) {
            const auto names = migrate_failpoints();
            const std::string_view name = failpoint.empty() ? names[random_() % names.size()] : failpoint;
            const std::uint64_t times = name.starts_with("migrate.batch") ? 1 + random_() % 20 : 1;
            outcome = run(database, {fmt::format("DECANT_FAILPOINT={}:{}", name, times)});
        } else {
            const DecantProgram decant{cluster_.conninfo(database)};
            RunningDecant running = decant.start(arguments(with_));
            std::this_thread::sleep_for(
                std::chrono::microseconds{random_() % static_cast<std::uint64_t>(seconds_ * 1e6)});
            if (random_() % 4 == 0) {
                ++restarts_;
                cluster_.restart(ThrowawayCluster::Stop::immediate);
            } else {
                running.signal(SIGKILL);
            }
            outcome = running.wait();
        }
        if (outcome.exit_code == 128 + SIGKILL) ++kills_;
        EXPECT_THAT(outcome.exit_code, testing::AnyOf(0, 69, 75, 128 + SIGKILL)) << outcome.told();
    }

    ThrowawayCluster cluster_;
    CatalogCase with_;
    std::mt19937_64 random_{1};
    std::string expected_;
    double seconds_ = 0;
    int clones_ = 0;
    std::uint64_t kills_ = 0;
    std::uint64_t restarts_ = 0;
    std::uint64_t met_lock_ = 0;
};

/// MIGRATE_KILLS (60) says how long.
TEST(LongMigrateKills, M1_NothingIsLostOrDoubledHoweverOftenAMigrationIsKilledAndItsServerRestarted) {
    Campaign{}.run_all(kills_wanted());
}

}  // namespace
}  // namespace decant::test
