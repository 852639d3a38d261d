// A change of the model, and its way back, are killed wherever they may be, while products are searched and changed: no
// search fails, and none compares a question of one model with products of another.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <boost/json/parse.hpp>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "core/error.hpp"
#include "core/failpoint_names.hpp"
#include "core/json.hpp"
#include "store/column_model.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/model_case.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/search_load.hpp"
#include "tests/support/serve_case.hpp"
#include "tests/support/standby_pair.hpp"

namespace decant::test {
namespace {

using namespace std::chrono_literals;

constexpr int products = 60;

/// Asks a server for the very texts that products' vectors are made of, without a pause: the answer is that product
/// with similarity 1, of whichever model, or two models were mixed.
class ExactSearches {
public:
    ExactSearches(std::uint16_t port, int callers) {
        for (int number = 0; number < callers; ++number)
            callers_.emplace_back([this, port, number](const std::stop_token& stop) { call(port, number, stop); });
    }
    std::size_t answered() const noexcept { return answered_; }
    /// What was wrong, once each; empty: nothing.
    std::set<std::string> stop() {
        for (std::jthread& caller : callers_)
            caller.request_stop();
        callers_.clear();
        return faults_;
    }

private:
    void call(std::uint16_t port, int number, const std::stop_token& stop) {
        RawClient client{port};
        for (int count = number; !stop.stop_requested(); count += 7) {
            const int product = count % products + 1;
            client.send(
                json_post("/api/v1/pgvector/search",
                          fmt::format(R"({{"query": "{}", "strategy": "pgvector", "literal": true, "limit": 3}})",
                                      ModelCase::text_of(product))));
            const std::optional<RawAnswer> answer = client.read_answer();
            std::string fault = fault_of(product, answer);
            if (fault.empty()) {
                ++answered_;
                continue;
            }
            const std::lock_guard lock{mutex_};
            faults_.insert(std::move(fault));
            if (!answer) return;
        }
    }
    static std::string fault_of(int product, const std::optional<RawAnswer>& answer) {
        if (!answer) return "no answer";
        if (answer->status != 200) return fmt::format("{}: {}", answer->status, answer->body);
        const boost::json::value body = boost::json::parse(answer->body);
        const boost::json::array& hits = body.at("results").as_array();
        if (hits.empty()) return "nothing found: " + answer->body;
        const bool is_it = hits.front().at("sku") == boost::json::string{fmt::format("p-{}", product)};
        const bool is_equal = hits.front().at("similarity_score").to_number<double>() > 0.9999;
        return is_it && is_equal ? "" : "two models were compared: " + json_text(hits.front());
    }

    std::atomic<std::size_t> answered_{0};
    std::mutex mutex_;
    std::set<std::string> faults_;
    std::vector<std::jthread> callers_;
};

/// Changes prices and descriptions of no product that is asked for, all the time.
class Writer {
public:
    explicit Writer(const SchemaCase& with)
        : thread_([this, &with](const std::stop_token& stop) { run(with, stop); }) {}
    /// The longest that a change took, in milliseconds.
    double stop() {
        thread_.request_stop();
        thread_.join();
        return longest_;
    }

private:
    void run(const SchemaCase& with, const std::stop_token& stop) {
        pg::Connection db = with.open();
        for (int count = 0; !stop.stop_requested(); ++count) {
            const auto start = std::chrono::steady_clock::now();
            db.query("UPDATE products SET price = price + 1, description = $1 WHERE sku = 'p-61'",
                     {fmt::format("Tal como quedó {}", count / 20)});
            longest_ = std::max(
                longest_, std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
            std::this_thread::sleep_for(20ms);
        }
    }

    double longest_ = 0;
    std::jthread thread_;
};

class ModelChangeKill : public testing::Test {
protected:
    ModelChangeKill() : server_(with_.decant(), with_.environment()) {}

    static std::vector<std::string> failpoints() {
        std::vector<std::string> names;
        for (const std::string_view name : failpoint_names)
            if (name.starts_with("model.")) names.emplace_back(name);
        return names;
    }
    void kill_at(const std::string& failpoint, const std::vector<std::string>& command) {
        const Outcome killed = with_.run(command, {"DECANT_FAILPOINT=" + failpoint + ":1"});
        ASSERT_EQ(killed.exit_code, 128 + SIGKILL) << killed.told();
    }

    ModelCase with_{products + 1};
    ServedDecant server_;
};

TEST_F(ModelChangeKill, K1_FailsNoSearchMixesNoModelsAndGoesOn) {
    const std::string shape = with_.shape();
    ExactSearches searches{server_.port(), 3};
    Writer writer{with_};
    for (const std::string& failpoint : failpoints()) {
        SCOPED_TRACE(failpoint);
        const bool is_of_rollback = failpoint.starts_with("model.roll");
        const bool is_of_forget = failpoint == "model.forgetting";
        if (is_of_rollback || is_of_forget) with_.changed("second");
        if (is_of_rollback) {
            kill_at(failpoint, {"model", "rollback"});
            const bool is_back = with_.live().starts_with("first");
            EXPECT_EQ(is_back, failpoint == "model.rolled_back") << "the swap is whole or not at all";
        } else if (is_of_forget) {
            kill_at(failpoint, {"model", "forget", "--yes"});
            EXPECT_EQ(with_.told({"model", "status"}).at("second").at("state"), "kept");
        } else {
            kill_at(failpoint, {"model", "change", "second"});
            EXPECT_EQ(with_.live().starts_with("second"), failpoint == "model.swapped");
            if (failpoint != "model.swapped") with_.changed("second");
        }
        const std::size_t answered = searches.answered();
        EXPECT_TRUE(eventually(20s, [&] { return searches.answered() > answered + 50; }));
        // Back to the start.
        if (with_.live().starts_with("second")) with_.told({"model", "rollback"});
        with_.told({"model", "forget", "--yes"});
        EXPECT_EQ(with_.shape(), shape);
    }
    EXPECT_LT(writer.stop(), 1'500) << "a change of a product waited";
    EXPECT_EQ(searches.stop(), std::set<std::string>{});
    EXPECT_EQ(with_.run({"worker", "--once"}).exit_code, 0);
    EXPECT_EQ(with_.live(), "first 61 0");
}

TEST_F(ModelChangeKill, K2_FollowsToOtherDimensionsAndBackUnderLoad) {
    ExactSearches searches{server_.port(), 4};
    for (int round = 0; round < 3; ++round) {
        with_.changed("wide");
        const std::size_t answered = searches.answered();
        EXPECT_TRUE(eventually(20s, [&] { return searches.answered() > answered + 100; }));
        with_.told({"model", "rollback"});
        with_.told({"model", "rollback"});
        with_.told({"model", "rollback"});
        with_.told({"model", "forget", "--yes"});
    }
    EXPECT_EQ(searches.stop(), std::set<std::string>{});
}

TEST_F(ModelChangeKill, K4_AServerEmbedsAndTellsByTheNewModelWithoutARestart) {
    const auto ask = [&](const std::string& request) {
        RawClient client{server_.port()};
        client.send(request);
        const std::optional<RawAnswer> answer = client.read_answer();
        return answer ? answer->body : "no answer";
    };
    const auto get = [&](const std::string& path) {
        return ask(fmt::format("GET {} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", path));
    };
    EXPECT_THAT(get("/v1/models"), testing::HasSubstr(R"("id":"first")"));
    with_.changed("wide");
    const std::string id = with_.value("SELECT id FROM products WHERE sku = 'p-3'");
    EXPECT_THAT(ask(json_post(fmt::format("/api/v1/pgvector/embeddings/product/{}?force=true", id), "")),
                testing::AllOf(testing::HasSubstr(R"("embedding_generated":true)"),
                               testing::HasSubstr(R"("embedding_model":"wide")")));
    EXPECT_TRUE(eventually(20s, [&] { return get("/v1/models").find(R"("id":"wide")") != std::string::npos; }));
    EXPECT_EQ(with_.live(), "wide 61 0");
}

TEST(LongModelChangeReplicas, K3_SearchesOnStandbysByTheModelThatTheyHaveReplayed) {
    StandbyPair servers;
    const ModelCase with{products + 1, servers.primary};
    std::vector<std::string> environment = with.environment();
    environment.push_back("DB_READ_HOSTS=" + servers.hosts());
    environment.emplace_back("DB_READ_LAG_BYTES=1000000000");
    environment.emplace_back("DB_READ_LAG_SECONDS=86400");
    const auto is_on = [&](const ThrowawayCluster* standby, const std::function<bool(pg::Connection&)>& is_so) {
        try {
            pg::Connection db = pg::Connection::open(standby->conninfo(database_of(with.decant().conninfo())));
            return is_so(db);
        } catch (const Error&) {
            return false;  // the database, or the table, is not there yet
        }
    };
    const auto on_both = [&](const std::function<bool(pg::Connection&)>& is_so) {
        return eventually(20s, [&] { return is_on(&servers.first, is_so) && is_on(&servers.second, is_so); });
    };
    // However far behind they may be, they are asked.
    EXPECT_TRUE(on_both([](pg::Connection& db) {
        return db.exec("SELECT count(embedding) FROM products").integer(0, 0) == products + 1;
    }));
    ServedDecant server{with.decant(), environment};
    ExactSearches searches{server.port(), 3};
    const auto goes_on = [&] {
        const std::size_t answered = searches.answered();
        return eventually(20s, [&] { return searches.answered() > answered + 100; });
    };
    EXPECT_TRUE(goes_on());
    servers.pause_both();
    with.changed("second");
    EXPECT_TRUE(goes_on()) << "the primary has another model than the standbys";
    servers.resume_both();
    EXPECT_TRUE(goes_on());
    // A standby that is paused in the middle of the swap keeps its lock.
    EXPECT_TRUE(on_both([](pg::Connection& db) {
        const auto column = store::read_column_model(db);
        return column && column->name == "second";
    }));
    servers.pause_both();
    with.told({"model", "rollback"});
    EXPECT_TRUE(goes_on());
    servers.resume_both();
    EXPECT_TRUE(goes_on());
    EXPECT_EQ(searches.stop(), std::set<std::string>{});
}

}  // namespace
}  // namespace decant::test
