#include <fmt/format.h>
#include <gmock/gmock.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/json/object.hpp>
#include <chrono>
#include <cstdlib>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/embedding_case.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/fake_ollama.hpp"

namespace decant::test {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr int products = 100;
constexpr auto most_takeover = 15s;
constexpr auto model_time = 30ms;  ///< that a batch takes
constexpr std::array failpoints{"worker.claimed", "worker.embedded", "worker.stored", "worker.committed"};
enum class Harm { failpoint, random_kill, pause };

std::uint64_t cases_wanted() {
    const char* text = std::getenv("WORKER_KILL_CASES");
    return text == nullptr ? 60 : std::strtoull(text, nullptr, 10);
}

struct Figures {
    std::mutex mutex;
    std::uint64_t cases = 0;
    std::map<std::string, int> harms;
    double longest_takeover = 0;  ///< seconds
};

/// A catalog and a model of its own, in which one case runs after the other.
class Lane {
public:
    explicit Lane(Figures& figures) : figures_(figures) {
        with_.exec(
            "CREATE TABLE twice (product_id uuid);"
            "CREATE FUNCTION watch_vectors() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "IF OLD.embedding IS NOT NULL AND OLD.embedding_hash = NEW.embedding_hash THEN "
            "INSERT INTO twice VALUES (NEW.id); END IF; RETURN NEW; END $$;"
            "CREATE TRIGGER watch BEFORE UPDATE OF embedding ON products FOR EACH ROW EXECUTE FUNCTION "
            "watch_vectors()");
        server_.set_fault([](const StandInRequest& request) -> std::optional<StandInAnswer> {
            if (request.target == "/api/embed") std::this_thread::sleep_for(model_time);
            return std::nullopt;
        });
    }

    void run(std::uint64_t seed) {
        SCOPED_TRACE(fmt::format("case {}", seed));
        std::mt19937_64 random{seed};
        with_.exec(
            "DELETE FROM products; DELETE FROM decant.embedding_jobs; DELETE FROM decant.embedding_dead_letters");
        with_.put(1, products);
        const auto harm = static_cast<Harm>(seed % 3);
        std::vector<RunningDecant> workers;
        const std::string failpoint = fmt::format("{}:{}", failpoints[seed / 3 % failpoints.size()], 1 + random() % 3);
        workers.push_back(start(harm == Harm::failpoint ? failpoint : ""));
        for (std::uint64_t others = random() % 3; others > 0; --others)
            workers.push_back(start());
        const Clock::time_point hurt = hurt_first(workers, harm, random);
        rename_some(random);
        expect_end(hurt);
        if (harm == Harm::pause) workers.front().signal(SIGCONT);
        for (RunningDecant& worker : workers) {
            worker.signal(SIGTERM);
            const Outcome outcome = worker.wait();
            const bool is_killed = harm != Harm::pause && &worker == &workers.front();
            EXPECT_THAT(outcome.exit_code, is_killed ? testing::Matcher<int>{128 + SIGKILL}
                                                     : testing::Matcher<int>{testing::AnyOf(0, 128 + SIGTERM)})
                << outcome.told();
        }
        check();
        const std::lock_guard lock{figures_.mutex};
        ++figures_.cases;
        ++figures_.harms[harm == Harm::failpoint ? failpoint.substr(0, failpoint.find(':'))
                                                 : (harm == Harm::pause ? "SIGSTOP" : "kill at random")];
    }

private:
    RunningDecant start(const std::string& failpoint = {}) const {
        std::vector<std::string> environment{"OLLAMA_API_URL=" + server_.url()};
        if (!failpoint.empty()) environment.push_back("DECANT_FAILPOINT=" + failpoint);
        return with_.decant().start({"worker", "--batch-size", "8"}, environment);
    }

    /// Kills or stops the first worker and sees to it that another one is there; when it was.
    Clock::time_point hurt_first(std::vector<RunningDecant>& workers, Harm harm, std::mt19937_64& random) {
        // At a moment after it has begun: there is no other way to a moment by chance.
        const std::chrono::milliseconds after{random() % 200};
        eventually(10s, [&] { return workers.front().has_ended() || with_.jobs() != std::to_string(products); });
        if (harm != Harm::failpoint) {
            std::this_thread::sleep_for(after);
            workers.front().signal(harm == Harm::pause ? SIGSTOP : SIGKILL);
        } else {
            EXPECT_TRUE(eventually(10s, [&] { return workers.front().has_ended() || with_.jobs() == "0"; }));
        }
        const Clock::time_point hurt = Clock::now();
        if (workers.size() == 1) workers.push_back(start());
        return hurt;
    }

    /// While the workers are at it.
    void rename_some(std::mt19937_64& random) const {
        for (int i = 0; i < 3; ++i)
            with_.exec(fmt::format("UPDATE products SET name = 'renamed {}' WHERE sku = 'p-{}'", random() % 100,
                                   1 + random() % products));
        if (random() % 4 == 0) with_.exec("UPDATE brands SET display_name = display_name || '!' WHERE name = 'acme'");
    }

    void expect_end(Clock::time_point hurt) {
        auto db = with_.open();
        EXPECT_TRUE(eventually(60s, [&] {
            std::this_thread::sleep_for(50ms);
            return db.exec("SELECT count(*) FROM decant.embedding_jobs").integer(0, 0) == 0;
        })) << "the queue does not become empty";
        const Clock::duration taken = Clock::now() - hurt;
        EXPECT_LE(taken, most_takeover);
        const std::lock_guard lock{figures_.mutex};
        figures_.longest_takeover = std::max(figures_.longest_takeover, std::chrono::duration<double>(taken).count());
    }

    void check() const {
        EXPECT_EQ(with_.value("SELECT count(*) FROM twice"), "0") << "stored twice for one text";
        EXPECT_EQ(with_.value("SELECT count(*) FROM decant.embedding_dead_letters"), "0");
        EXPECT_EQ(with_.value("SELECT count(*) FROM products WHERE embedding IS NULL OR last_embedding_update IS NULL"),
                  "0");
        const Outcome again = with_.decant().run({"embed", "--all", "--json"}, {"OLLAMA_API_URL=" + server_.url()});
        ASSERT_EQ(again.exit_code, 0) << again.told();
        EXPECT_EQ(again.json().at("skipped").as_int64(), products) << "not every vector is of its text: " << again.out;
        EXPECT_THAT(server_.violations(), testing::IsEmpty());
    }

    Figures& figures_;
    EmbeddingCase with_;
    FakeOllama server_{{.dimension = 8}};
};

/// WORKER_KILL_CASES (60) and WORKER_KILL_CASE (one alone). Cases mostly wait for leases to run out, so six run at
/// once.
TEST(LongWorkerKills, J1_J3_NothingIsLostStoredTwiceOrStaleWhenWorkersAreKilledOrStandStill) {
    const char* alone = std::getenv("WORKER_KILL_CASE");
    const std::uint64_t first = alone == nullptr ? 1 : std::strtoull(alone, nullptr, 10);
    const std::uint64_t last = alone == nullptr ? cases_wanted() : first;
    Figures figures;
    std::vector<std::unique_ptr<Lane>> lanes;
    for (std::uint64_t i = 0; i < std::min<std::uint64_t>(6, last - first + 1); ++i)
        lanes.push_back(std::make_unique<Lane>(figures));
    const Clock::time_point start = Clock::now();
    std::atomic<std::uint64_t> next{first};
    {
        std::vector<std::jthread> threads;
        for (const auto& lane : lanes) {
            threads.emplace_back([&] {
                for (std::uint64_t seed = next++; seed <= last && !HasFailure(); seed = next++)
                    lane->run(seed);
            });
        }
    }
    fmt::print("{} cases in {:.0f} s; after a kill or a stop the queue was empty within {:.1f} s\n", figures.cases,
               std::chrono::duration<double>(Clock::now() - start).count(), figures.longest_takeover);
    for (const auto& [harm, count] : figures.harms)
        fmt::print("  {:<18} {}\n", harm, count);
}

}  // namespace
}  // namespace decant::test
