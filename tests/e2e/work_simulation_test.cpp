// Queue, retries and breaker under a virtual clock: a few workers, step by step in an order that a seed decides, while
// products are written, the model is away, workers die or stand still and clocks jump. The database is a real one.
//
//   SIMULATION_SEEDS=20000 build/release/tests/test_e2e --gtest_filter='LongWorkSimulation.*'
//   SIMULATION_SEED=1234   (one seed alone)

#include <fmt/ranges.h>

#include <array>
#include <cstdlib>
#include <memory>
#include <random>
#include <set>

#include "core/error.hpp"
#include "tests/support/embedding_case.hpp"
#include "work/worker.hpp"

namespace decant::test {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using work::Breaker;
using work::Worker;
using work::WorkerCounts;

constexpr int slots = 6;  // products
constexpr int steps = 40;
constexpr int most_attempts = 3;
constexpr std::size_t most_claimed = 3;

// `twice` gets a product whose vector is stored although it has one of the same text; no server would take a cursed
// one.
constexpr const char* stage_sql = R"sql(
DROP INDEX idx_products_embedding_hnsw;
CREATE TABLE twice (product_id uuid);
CREATE FUNCTION watch_vectors() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.name LIKE '%cursed%' THEN RAISE 'this row takes no vector'; END IF;
    IF OLD.embedding IS NOT NULL AND OLD.embedding_hash = NEW.embedding_hash THEN INSERT INTO twice VALUES (NEW.id); END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER watch BEFORE UPDATE OF embedding ON products FOR EACH ROW EXECUTE FUNCTION watch_vectors();
)sql";

constexpr const char* clear_sql =
    "DELETE FROM products; DELETE FROM decant.embedding_jobs; DELETE FROM decant.embedding_dead_letters;"
    "DELETE FROM decant.embedding_batches; DELETE FROM twice;"
    "UPDATE brands SET name = 'brand', display_name = 'Brand' WHERE name <> 'umbra'";

/// What outlives a seed, because it takes long to make.
struct Stage {
    Stage() { with.exec(stage_sql); }
    EmbeddingCase with;
    pg::Connection shop = with.open();
    pg::Connection slow_shop = with.open();  ///< whose transactions stay open for a while
    std::array<pg::Connection, 3> workers{with.open(), with.open(), with.open()};
};

/// Database time, which may jump, and time that only passes.
struct Time {
    VirtualClock database;
    Breaker::Time monotonic{1'000h};
    void advance(milliseconds span) {
        database.advance(span);
        monotonic += span;
    }
};

/// Calls of a worker's provider while it is away may not come closer than this after so many failures in a row.
milliseconds least_pause(int failures) {
    if (failures == 0) return 0ms;
    const bool is_open = failures >= Breaker::most_failures;
    const int doublings = is_open ? failures - Breaker::most_failures : failures - 1;
    return std::min((is_open ? 5'000ms : 200ms) * (1 << std::min(doublings, 12)), is_open ? 60'000ms : 5'000ms) / 2;
}

/// A worker process: what run_worker does, a step at a time.
class Process {
public:
    Process(pg::Connection& db, const Time& time, std::uint64_t seed)
        : db_(db), time_(time), seed_(seed), breaker_(seed) {
        model_.spoil = [this](SmallEmbedder::Texts texts, SmallEmbedder::Answer&) { answer(texts); };
    }

    void die() {
        worker_.reset();
        token_ = 0;
        breaker_ = Breaker{++seed_};
        failures_ = 0;
        stage_ = 0;
    }
    void pause(milliseconds span) { paused_until_ = time_.monotonic + span; }
    void wake() { paused_until_ = {}; }
    bool is_paused() const { return time_.monotonic < paused_until_; }
    Breaker::Time next_try() const { return breaker_.next_try(); }
    /// The heartbeat.
    void renew() {
        if (worker_ && token_ != 0 && !is_paused()) store::JobQueue{db_, time_.database.clock()}.renew(token_);
    }

    /// False when there was nothing to do.
    bool step(bool is_away) {
        if (is_paused() || breaker_.next_try() > time_.monotonic) return false;
        is_away_ = is_away;
        if (!worker_) start();
        if (stage_ == 0) {
            const bool probes = breaker_.state(time_.monotonic) == Breaker::State::half_open;
            if (!worker_->claim(probes ? 1 : limit_)) return false;
            stage_ = 1;
        } else if (stage_ == 1) {
            embed();
        } else {
            store();
        }
        return true;
    }

    WorkerCounts counts;

private:
    void start() {
        worker_ = std::make_unique<Worker>(
            db_, model_,
            work::WorkerSetup{.most_attempts = most_attempts,
                              .seed = seed_,
                              .clock = time_.database.clock(),
                              .on_lease = [this](std::int64_t token) { token_ = token != 0 ? token : token_; }});
        store::JobQueue queue{db_, time_.database.clock()};
        queue.drop_fresh(model_.model().name);
        queue.sweep();
    }

    void embed() {
        try {
            if (worker_->embed()) {
                breaker_.succeeded();
                limit_ = std::min(limit_ * 2, most_claimed);
            }
            stage_ = 2;
        } catch (const Error& error) {
            if (error.code() != ErrorCode::embedder_unavailable) throw;
            breaker_.failed(time_.monotonic);
            limit_ = 1;
            stage_ = 0;
            EXPECT_EQ(held(), 0) << "what cannot be embedded now is given back";
        }
    }

    void store() {
        const std::int64_t held_before = held();
        const WorkerCounts done = worker_->store();
        EXPECT_EQ(static_cast<std::int64_t>(done.embedded + done.skipped + done.again + done.failed), held_before)
            << "a worker ends the jobs that it still holds and no others";
        counts += done;
        stage_ = 0;
    }

    std::int64_t held() {
        return db_.query("SELECT count(*) FROM decant.embedding_jobs WHERE lease = $1", {std::to_string(token_)})
            .integer(0, 0);
    }

    void answer(SmallEmbedder::Texts texts) {
        EXPECT_GE(time_.monotonic - last_failure_, least_pause(failures_)) << "after " << failures_ << " failures";
        if (is_away_) {
            ++failures_;
            last_failure_ = time_.monotonic;
            throw Error{ErrorCode::embedder_unavailable, "the model is away", "-"};
        }
        for (const std::string_view text : texts) {
            if (text.find("poison") == std::string_view::npos) continue;
            throw Error{ErrorCode::request_invalid, "the model refuses this text", "-"};
        }
        for (const std::string_view text : texts) {
            if (text.find("lethal") == std::string_view::npos) continue;
            throw Error{ErrorCode::embedder_unavailable, "the model breaks at this text", "-"};
        }
        failures_ = 0;
    }

    pg::Connection& db_;
    const Time& time_;
    std::uint64_t seed_;
    Breaker breaker_;
    SmallEmbedder model_;
    std::unique_ptr<Worker> worker_;
    std::int64_t token_ = 0;
    std::size_t limit_ = most_claimed;
    int stage_ = 0;  ///< 0: about to claim, 1: to embed, 2: to store
    bool is_away_ = false;
    int failures_ = 0;
    Breaker::Time last_failure_{};
    Breaker::Time paused_until_{};
};

class Simulation {
public:
    Simulation(Stage& stage, std::uint64_t seed) : stage_(stage), random_(seed) {
        stage.shop.exec(clear_sql);
        const std::size_t count = 1 + pick(stage.workers.size());
        for (std::size_t i = 0; i < count; ++i)
            workers_.push_back(std::make_unique<Process>(stage.workers[i], time_, random_()));
    }

    void run() {
        for (int i = 0; i < steps && !testing::Test::HasFailure(); ++i) {
            if (pick(3) == 0) sell();
            if (pick(8) == 0) harm();
            if (pick(4) == 0) pass(milliseconds{pick(pick(6) == 0 ? 30'000 : 3'000)});
            workers_[pick(workers_.size())]->step(is_away());
        }
        drain();
        check();
    }

private:
    std::size_t pick(std::size_t count) { return random_() % count; }
    bool is_away() const { return time_.monotonic < away_until_; }

    void pass(milliseconds span) {
        time_.advance(span);
        for (const auto& worker : workers_) {
            if (pick(4) != 0) worker->renew();
        }
    }

    std::string name() {
        static constexpr std::array kinds{"good", "good", "good", "poison", "cursed", "lethal"};
        const std::string kind = kinds[pick(kinds.size())];
        return fmt::format("{} {}", kind, pick(4));
    }
    static std::string id(std::size_t slot) { return fmt::format("00000000-0000-4000-8000-{:012}", slot); }

    /// Somebody writes products, or asks for vectors.
    void sell() {
        pg::Connection& db = stage_.shop;
        const std::string one = id(pick(slots));
        switch (pick(10)) {
            case 0:
            case 1:
            case 2:
                return write(
                    "INSERT INTO products (id, name, specs, price, stock, category_id, brand_id) SELECT $1, "
                    "$2, '', 1, 1, c.id, b.id FROM categories c, brands b WHERE c.name = 'audio' AND b.name "
                    "<> 'umbra' ON CONFLICT (id) DO UPDATE SET name = excluded.name",
                    one);
            case 3:
            case 4:
                return write("UPDATE products SET name = $2, price = price + 1 WHERE id = $1", one);
            case 5:
                return write(
                    "UPDATE products SET active = NOT active, name = CASE WHEN active THEN $2 ELSE name END "
                    "WHERE id = $1",
                    one);
            case 6:
                if (slow_slot_.empty())
                    db.exec(fmt::format("UPDATE brands SET name = '{}' WHERE name <> 'umbra'", name()));
                return;
            case 7:
                if (slow_slot_ != one) db.query("DELETE FROM products WHERE id = $1", {one});
                return;
            case 8:
                return ask();
            default:
                return slow_write(one);
        }
    }

    void write(const char* sql, const std::string& one) {
        if (slow_slot_ == one) return;  // it would wait for the end of the slow one
        stage_.shop.query(sql, {one, name()});
    }

    void ask() {
        store::JobQueue queue{stage_.shop, time_.database.clock()};
        using Kind = store::ProductSelection::Kind;
        if (pick(3) == 0) {
            queue.retry({});
        } else if (pick(2) == 0) {
            queue.enqueue({.kind = Kind::all, .model = "small", .demand = store::Demand::text});
        } else {
            queue.enqueue({.kind = Kind::missing, .model = "small"});
        }
    }

    /// A row that is changed and stays locked until the next call.
    void slow_write(const std::string& one) {
        pg::Connection& db = stage_.slow_shop;
        if (!slow_slot_.empty()) {
            db.exec(pick(3) == 0 ? "ROLLBACK" : "COMMIT");
            slow_slot_.clear();
            return;
        }
        db.exec("BEGIN");
        db.query("UPDATE products SET price = 2, name = $2 WHERE id = $1", {one, name()});
        slow_slot_ = one;
    }

    void harm() {
        Process& worker = *workers_[pick(workers_.size())];
        switch (pick(6)) {
            case 0:
                return worker.die();
            case 1:
            case 2:
                return worker.pause(milliseconds{pick(40'000)});
            case 3:
            case 4:
                away_until_ = time_.monotonic + milliseconds{pick(pick(3) == 0 ? 300'000 : 5'000)};
                return;
            default:
                return time_.database.advance(pick(2) == 0 ? 1h : -1h);
        }
    }

    /// Nothing more happens, and the model is there: the queue becomes empty.
    void drain() {
        if (!slow_slot_.empty()) slow_write(slow_slot_);
        away_until_ = {};
        for (const auto& worker : workers_)
            worker->wake();
        for (int turns = 0, idle = 0; turns < 3'000 && idle < 120 && !testing::Test::HasFailure(); ++turns) {
            bool is_busy = false;
            for (const auto& worker : workers_)
                is_busy = worker->step(false) || is_busy;
            if (is_busy) continue;
            if (value("SELECT count(*) FROM decant.embedding_jobs") == "0") return;
            // What a clock that went back an hour has delayed comes too; a text at which the model breaks waits twice
            // an attempt, for the model and for itself.
            time_.advance(++idle < 8 ? 5'000ms : 10min);
        }
    }

    void check() {
        EXPECT_EQ(value("SELECT count(*) FROM decant.embedding_jobs"), "0") << "the queue does not become empty";
        EXPECT_EQ(value("SELECT count(*) FROM twice"), "0") << "stored twice for one text";
        EXPECT_EQ(value("SELECT count(*) FROM decant.embedding_batches WHERE updated + skipped + errors <> "
                        "total"),
                  "0")
            << "a batch does not add up";
        std::set<std::string> dead;
        for (const store::DeadLetter& letter : store::JobQueue{stage_.shop}.dead_letters(100)) {
            EXPECT_EQ(letter.attempts, most_attempts);
            dead.insert(letter.product_id);
        }
        std::vector<std::string> ids;
        for (std::size_t slot = 0; slot < slots; ++slot)
            ids.push_back(id(slot));
        for (const store::EmbeddedProduct& product : store::EmbeddingStore{stage_.shop}.read(ids))
            check(product, dead.contains(product.id));
    }

    void check(const store::EmbeddedProduct& product, bool is_dead) {
        SCOPED_TRACE(product.id + " " + product.product.name.value_or(""));
        const std::string text = catalog::embedding_text(product.product, catalog::TextRecipe::labelled);
        const bool is_refused = text.find("poison") != std::string::npos || text.find("lethal") != std::string::npos ||
                                product.product.name->starts_with("cursed");
        if (product.is_active) {
            EXPECT_EQ(is_dead, is_refused);
            EXPECT_EQ(product.has_embedding && !product.is_marked, !is_refused);
        }
        if (!product.has_embedding || product.is_marked) return;
        const std::vector<float> vector = SmallEmbedder::vector_of("passage: " + text).values;
        EXPECT_LT(distance(product.id, vector), 1e-4) << "its vector is of another text";
    }

    double distance(const std::string& product, const std::vector<float>& vector) {
        return std::stod(std::string{stage_.shop
                                         .query("SELECT embedding <-> $2::vector FROM products WHERE id = $1",
                                                {product, fmt::format("[{}]", fmt::join(vector, ","))})
                                         .text(0, 0)});
    }

    std::string value(const char* sql) { return std::string{stage_.shop.exec(sql).text(0, 0)}; }

    Stage& stage_;
    std::mt19937_64 random_;
    Time time_;
    std::vector<std::unique_ptr<Process>> workers_;
    Breaker::Time away_until_{};
    std::string slow_slot_;  ///< the product that slow_shop has locked
};

std::optional<std::uint64_t> number_of_environment(const char* name) {
    const char* text = std::getenv(name);
    return text == nullptr ? std::nullopt : std::optional{std::strtoull(text, nullptr, 10)};
}

/// SIMULATION_SEED says one that is to run alone, SIMULATION_SEEDS how many.
void simulate(std::uint64_t seeds) {
    Stage stage;
    const auto alone = number_of_environment("SIMULATION_SEED");
    const std::uint64_t last = alone.value_or(number_of_environment("SIMULATION_SEEDS").value_or(seeds));
    const auto start = std::chrono::steady_clock::now();
    for (std::uint64_t seed = alone.value_or(1); seed <= last; ++seed) {
        SCOPED_TRACE(fmt::format("SIMULATION_SEED={}", seed));
        Simulation{stage, seed}.run();
        ASSERT_FALSE(testing::Test::HasFailure());
    }
    fmt::print("{} seeds, {:.1f} s\n", last,
               std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
}

TEST(WorkSimulation, J1_J2_J3_J4_E1_NothingIsLostStoredTwiceOrStaleWhateverHappensToTheWorkers) {
    simulate(200);
}

TEST(LongWorkSimulation, J1_J2_J3_J4_E1_NothingIsLostStoredTwiceOrStaleWhateverHappensToTheWorkers) {
    simulate(2'000);
}

}  // namespace
}  // namespace decant::test
