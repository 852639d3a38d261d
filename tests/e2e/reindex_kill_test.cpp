// The rebuild of the vector index is killed wherever it may be, while products are searched: by the server, and by
// searchers that would notice any row less.

#include <fmt/format.h>
#include <signal.h>

#include <atomic>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/error.hpp"
#include "search/vector_search.hpp"
#include "store/embedding_indexes.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/search_load.hpp"
#include "tests/support/serve_case.hpp"

namespace decant::test {
namespace {

using namespace std::chrono_literals;

/// Searches without a pause over a connection of its own, until it ends.
class Searching {
public:
    explicit Searching(const SchemaCase& with)
        : thread_([this, &with](const std::stop_token& stop) { run(with, stop); }) {}
    std::size_t searches() const noexcept { return searches_; }
    /// What went wrong first; empty: nothing.
    std::string stop() {
        thread_.request_stop();
        thread_.join();
        return fault_;
    }

private:
    void run(const SchemaCase& with, const std::stop_token& stop) {
        try {
            pg::Connection db = with.open();
            search::VectorSearcher searcher{db};
            for (std::size_t number = 0; !stop.stop_requested(); ++number) {
                std::vector<float> vector(8, 0.1F);
                vector[number % vector.size()] = 1;
                const std::size_t found = searcher.find({.vector = vector}).hits.size();
                if (found != 10 && fault_.empty()) fault_ = fmt::format("{} rows in the place of 10", found);
                ++searches_;
            }
        } catch (const Error& error) {
            fault_ = error.happened();
        }
    }

    std::atomic<std::size_t> searches_{0};
    std::string fault_;
    std::jthread thread_;
};

class ReindexKill : public testing::Test {
protected:
    /// A rebuild that is killed at `failpoint`; none: while it waits for `reader` to end.
    void kill_at(const std::string& failpoint) {
        const std::vector<std::string> environment =
            failpoint.empty() ? std::vector<std::string>{} : std::vector{"DECANT_FAILPOINT=" + failpoint + ":1"};
        std::optional<pg::Connection> db;
        std::optional<pg::Transaction> reader;
        if (failpoint.empty()) {
            db.emplace(with().open());
            reader.emplace(*db, "BEGIN ISOLATION LEVEL REPEATABLE READ");
            db->exec("SELECT count(*) FROM products");
        }
        RunningDecant running = with().decant().start({"reindex", "--json"}, environment);
        if (failpoint.empty()) {
            EXPECT_TRUE(eventually(20s, [&] { return builds("phase LIKE 'waiting%'") == "1"; })) << running.err();
            running.signal(SIGKILL);
        }
        const Outcome outcome = running.wait();
        EXPECT_EQ(outcome.exit_code, 128 + SIGKILL) << outcome.told();
        if (failpoint.empty()) {
            EXPECT_TRUE(eventually(20s, [&] { return builds("true") == "0"; })) << "the server builds for nobody";
        }
    }
    std::string builds(const std::string& condition) const {
        return with().value(
            "SELECT count(*) FROM pg_stat_progress_create_index WHERE relid = 'products'::regclass AND "
            "datname = current_database() AND " +
            condition);
    }
    std::string indexes() const {
        return with().value(
            "SELECT string_agg(c.relname, ' ' ORDER BY c.relname) FROM pg_index i JOIN pg_class c ON c.oid = "
            "i.indexrelid JOIN pg_am a ON a.oid = c.relam WHERE a.amname = 'hnsw' AND i.indisvalid AND i.indrelid = "
            "'products'::regclass");
    }
    const SchemaCase& with() const { return serving_.catalog(); }

    ServeCase serving_;
};

TEST_F(ReindexKill, R1_FailsNoSearchAndIsMadeGoodByTheNextRebuild) {
    ServedDecant server = serving_.serve();
    SearchLoad load{server.port(), 2};
    Searching searching{with()};
    for (const std::string failpoint :
         {"reindex.begun", "", "reindex.built", "reindex.compared", "reindex.swapping", "reindex.swapped"}) {
        SCOPED_TRACE(failpoint.empty() ? "while it builds" : failpoint);
        const std::string before = with().value("SELECT 'idx_products_embedding_hnsw'::regclass::oid");
        kill_at(failpoint);
        const std::string killed = with().value("SELECT 'idx_products_embedding_hnsw'::regclass::oid");
        EXPECT_EQ(killed != before, failpoint == "reindex.swapped") << "the swap is whole or not at all";
        const Outcome again = with().decant().run({"reindex", "--json"});
        ASSERT_EQ(again.exit_code, 0) << again.told();
        EXPECT_EQ(indexes(), "idx_products_embedding_hnsw");
        EXPECT_NE(with().value("SELECT 'idx_products_embedding_hnsw'::regclass::oid"), killed);
        EXPECT_EQ(again.json().at("resumed").as_bool(),
                  failpoint == "reindex.built" || failpoint == "reindex.compared" || failpoint == "reindex.swapping");
    }
    EXPECT_EQ(with().value("SELECT count(*) FROM pg_index WHERE indrelid = 'products'::regclass AND NOT indisvalid"),
              "0");
    EXPECT_TRUE(eventually(10s, [&] { return searching.searches() > 100 && load.answered() > 100; }));
    EXPECT_EQ(searching.stop(), "");
    for (const LoadSample& sample : load.stop())
        EXPECT_EQ(sample.status, 200) << sample.body;
}

}  // namespace
}  // namespace decant::test
