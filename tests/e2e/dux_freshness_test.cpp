#include <fmt/format.h>
#include <gmock/gmock.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <chrono>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/dux_case.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/fake_ollama.hpp"

namespace decant::test {
namespace {

using namespace std::chrono_literals;
namespace json = boost::json;
using Clock = std::chrono::steady_clock;
using testing::HasSubstr;

/// The vectors of one model for a shop's catalog.
class FreshCase : public DuxCase {
public:
    explicit FreshCase(const Setup& setup = {}) : DuxCase(setup) {}

    FakeOllama& model() noexcept { return model_; }
    std::vector<std::string> model_environment() const { return {"OLLAMA_API_URL=" + model_.url()}; }
    RunningDecant start_worker() const { return decant().start({"worker"}, model_environment()); }

    /// Synced, and every product has its vector.
    void settle() {
        synced();
        const Outcome outcome = decant().run({"embed", "--all"}, model_environment());
        EXPECT_EQ(outcome.exit_code, 0) << outcome.told();
        EXPECT_EQ(jobs(), 0);
    }
    std::int64_t jobs() const { return std::stoll(value("SELECT count(*) FROM decant.embedding_jobs")); }
    std::string queued() const {
        return value(
            "SELECT coalesce(string_agg(DISTINCT p.sku, ' ' ORDER BY p.sku), '') FROM decant.embedding_jobs j "
            "JOIN products p ON p.id = j.product_id");
    }
    bool is_queue_empty_soon() const {
        auto db = open();
        return eventually(30s,
                          [&] { return db.exec("SELECT count(*) FROM decant.embedding_jobs").integer(0, 0) == 0; });
    }

private:
    FakeOllama model_{{.dimension = 8}};
};

/// Sees, from another connection, when products come and when their vectors do.
class Watch {
public:
    explicit Watch(const FreshCase& with) : thread_([this, &with](std::stop_token stop) { look(with, stop); }) {}
    ~Watch() { end(); }

    void end() {
        thread_.request_stop();
        if (thread_.joinable()) thread_.join();
    }
    /// From when a product of this text was there to when it could be found, one a product, ascending.
    std::vector<Clock::duration> waits() const {
        std::vector<Clock::duration> all;
        for (const auto& [version, came] : came_)
            all.push_back(found_.contains(version) ? found_.at(version) - came : Clock::duration::max());
        std::ranges::sort(all);
        return all;
    }

private:
    void look(const FreshCase& with, const std::stop_token& stop) {
        auto db = with.open();
        // What came just before the end is looked for once more.
        for (bool is_last = false; !is_last;) {
            is_last = stop.stop_requested();
            const auto now = Clock::now();
            const auto result = db.exec(
                "SELECT sku || ' ' || name, embedding IS NOT NULL AND last_embedding_update IS NOT NULL FROM products");
            for (int i = 0; i < result.rows(); ++i) {
                const std::string version{result.text(i, 0)};
                came_.emplace(version, now);
                if (result.boolean(i, 1)) found_.emplace(version, Clock::now());
            }
            std::this_thread::sleep_for(5ms);
        }
    }

    std::map<std::string, Clock::time_point> came_;
    std::map<std::string, Clock::time_point> found_;
    std::jthread thread_;
};

TEST(DuxFreshness, NewAndChangedProductsAreFoundWithinASecondWhileTheSyncRuns) {
    FreshCase with{{.articles = 300}};
    RunningDecant worker = with.start_worker();
    // Before the last page everything of those before has to be there: the sync is still running then.
    const auto before_the_end = [&](const std::string& known) {
        bool is_found = false;
        with.server().before(290, [&](json::array&) {
            auto db = with.open();
            is_found = eventually(20s, [&] {
                return db.exec(
                             "SELECT count(*) FROM products WHERE embedding IS NOT NULL AND last_embedding_update IS "
                             "NOT NULL AND " +
                             known)
                           .integer(0, 0) >= 200;
            });
        });
        const json::object report = with.synced();
        EXPECT_TRUE(is_found) << "not while the sync ran";
        EXPECT_EQ(report.at("passes"), 1);
        EXPECT_TRUE(with.is_queue_empty_soon());
    };
    Watch watch{with};
    before_the_end("true");
    for (std::size_t i = 0; i < with.shop().articles().size(); ++i)
        with.shop().article(i).name += " renovado";
    with.show();
    before_the_end("name LIKE '% renovado'");
    watch.end();
    worker.signal(SIGTERM);
    worker.wait();
    const auto waits = watch.waits();
    ASSERT_EQ(waits.size(), 600U);
    const auto p95 = std::chrono::duration<double>(waits[waits.size() * 95 / 100]);
    fmt::print("from the commit to the vector, p95 of {}: {:.3f} s\n", waits.size(), p95.count());
    EXPECT_LE(p95.count(), 1.0);
}

TEST(DuxFreshness, ANewProductIsFoundBySearchBeforeTheSyncHasEnded) {
    FreshCase with{{.articles = 120}};
    with.shop().article(4).name = "Taladro percutor con estuche";
    with.show();
    RunningDecant worker = with.start_worker();
    Outcome found;
    with.server().before(110, [&](json::array&) {
        eventually(20s, [&] {
            auto environment = with.model_environment();
            environment.emplace_back("PGVECTOR_SIMILARITY_THRESHOLD=-1");
            found = with.decant().run({"search", "Taladro percutor con estuche", "--json"}, environment);
            return found.out.find("Taladro percutor") != std::string::npos;
        });
    });
    with.synced();
    EXPECT_THAT(found.out, HasSubstr("Taladro percutor con estuche")) << found.told();
    worker.signal(SIGTERM);
    worker.wait();
}

TEST(DuxFreshness, PricesAndStockNeverQueueAProduct) {
    FreshCase with;
    with.settle();
    for (std::size_t i = 0; i < with.shop().articles().size(); ++i) {
        ShopArticle& article = with.shop().article(i);
        article.price_cents += 100;
        article.cost_cents += 1;
        article.is_stock_known = true;
        article.stock_tenths = {static_cast<std::int64_t>(10 * i)};
    }
    with.show();
    EXPECT_EQ(with.synced().at("updated"), 120);
    EXPECT_EQ(with.jobs(), 0);
    EXPECT_EQ(with.synced().at("unchanged"), 120);
    EXPECT_EQ(with.jobs(), 0);
    EXPECT_EQ(with.value("SELECT count(*) FROM products WHERE last_embedding_update IS NULL"), "0");
}

TEST(DuxFreshness, ANameABrandAndARubroQueueTheirProductsAndNoOthers) {
    FreshCase with;
    with.settle();
    std::vector<std::string> expected;
    with.shop().article(10).name += " otro";
    expected.push_back(with.shop().article(10).sku);
    ShopArticle& moved = with.shop().article(11);
    moved.rubro = (moved.rubro + 1) % 5;
    moved.sub_rubro = -1;
    expected.push_back(moved.sku);
    with.shop().rename_rubro(7, "Rubro 7 renombrado");
    for (const ShopArticle& article : with.shop().articles()) {
        if (article.rubro == 7) expected.push_back(article.sku);
    }
    std::ranges::sort(expected);
    expected.erase(std::unique(expected.begin(), expected.end()), expected.end());
    with.show();
    with.synced();
    EXPECT_EQ(with.queued(), fmt::format("{}", fmt::join(expected, " ")));
}

TEST(DuxFreshness, J2_APoisonProductOfTheErpEndsInTheDeadLetterListWhileTheOthersFlow) {
    FreshCase with;
    with.shop().article(3).name = "veneno";
    with.model().set_fault([](const StandInRequest& request) -> std::optional<StandInAnswer> {
        if (request.body.find("veneno") == std::string::npos) return std::nullopt;
        return StandInAnswer{.status = 400, .body = R"({"error":"invalid input"})"};
    });
    with.show();
    RunningDecant worker = with.start_worker();
    with.synced();
    auto db = with.open();
    EXPECT_TRUE(eventually(30s, [&] {
        return db.exec("SELECT count(*) FROM products WHERE embedding IS NULL").integer(0, 0) == 1;
    })) << "the others wait for the poison";
    // Its attempts are minutes apart; what is due is the queue's to say.
    EXPECT_TRUE(eventually(60s, [&] {
        db.exec("UPDATE decant.embedding_jobs SET not_before = NULL; NOTIFY decant_embedding_jobs");
        return db.exec("SELECT count(*) FROM decant.embedding_dead_letters").integer(0, 0) == 1;
    }));
    EXPECT_NE(with.value("SELECT error FROM decant.embedding_dead_letters"), "");
    EXPECT_EQ(with.value("SELECT p.name FROM decant.embedding_dead_letters d JOIN products p ON p.id = d.product_id"),
              "veneno");
    worker.signal(SIGTERM);
    worker.wait();
}

/// J3: the worker stands still for a minute in the middle of a sync; another one takes its jobs over.
TEST(LongDuxFreshness, J3_AWorkerThatStandsStillForAMinuteStoresNothingStale) {
    FreshCase with{{.articles = 300}};
    with.exec(
        "CREATE TABLE twice (product_id uuid);"
        "CREATE FUNCTION watch_vectors() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF OLD.embedding IS NOT NULL AND OLD.embedding_hash = NEW.embedding_hash THEN "
        "INSERT INTO twice VALUES (NEW.id); END IF; RETURN NEW; END $$;"
        "CREATE TRIGGER watch BEFORE UPDATE OF embedding ON products FOR EACH ROW EXECUTE FUNCTION watch_vectors()");
    std::atomic<pid_t> pid{0};
    std::atomic<bool> is_stopped{false};
    with.model().set_fault([&](const StandInRequest& request) -> std::optional<StandInAnswer> {
        const bool is_of_products = request.target == "/api/embed" && request.body.find("prueba") != std::string::npos;
        if (is_of_products && pid != 0 && !is_stopped.exchange(true)) ::kill(pid, SIGSTOP);
        return std::nullopt;
    });
    RunningDecant still = with.start_worker();
    pid = still.pid();
    with.synced();
    ASSERT_TRUE(eventually(20s, [&] { return is_stopped.load(); }));
    const Clock::time_point stopped = Clock::now();
    for (std::size_t i = 0; i < 300; i += 3)
        with.shop().article(i).name += " renovado";
    with.show();
    with.synced();
    RunningDecant other = with.start_worker();
    EXPECT_TRUE(with.is_queue_empty_soon());
    EXPECT_LE(Clock::now() - stopped, 30s);
    std::this_thread::sleep_until(stopped + 60s);  // the fault is the time itself
    still.signal(SIGCONT);
    for (RunningDecant* worker : {&still, &other}) {
        worker->signal(SIGTERM);
        worker->wait();
    }
    EXPECT_EQ(with.value("SELECT count(*) FROM twice"), "0");
    const Outcome again = with.decant().run({"embed", "--all", "--json"}, with.model_environment());
    EXPECT_EQ(again.json().at("skipped"), 300) << "not every vector is of its text: " << again.out;
}

}  // namespace
}  // namespace decant::test
