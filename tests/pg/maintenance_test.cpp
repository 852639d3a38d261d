// What is due of the catalog's upkeep, and what becomes of it.

#include "operate/maintenance.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "api/maintenance_duty.hpp"
#include "core/error.hpp"
#include "operate/maintenance_runs.hpp"
#include "store/embedding_indexes.hpp"
#include "tests/support/build_of_others.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/schema_case.hpp"

namespace decant::test {
namespace {

using namespace std::chrono_literals;
using operate::due_maintenance;
using operate::Upkeep;
using operate::UpkeepState;
using operate::UpkeepTask;
using testing::HasSubstr;
using testing::Optional;

class Maintenance : public testing::Test {
protected:
    Maintenance() { with_.put_products(1'500); }

    std::optional<UpkeepTask> planned(Upkeep kind) {
        for (const UpkeepTask& task : plan_maintenance(db_, setup()))
            if (task.kind == kind) return task;
        return std::nullopt;
    }
    std::vector<UpkeepTask> maintained(const operate::MaintenanceSetup& setup) const {
        const operate::OperationLock lock{setup.conninfo, "maintain"};
        return run_maintenance(setup, lock);
    }
    operate::MaintenanceSetup setup() const {
        return {.conninfo = with_.decant().conninfo(), .model = "a model", .retained = retained_};
    }

    SchemaCase with_;
    pg::Connection db_ = with_.open();
    std::vector<store::Retained> retained_;
};

TEST_F(Maintenance, FindsNothingToDoAfterItDidAll) {
    // Sessions that have just ended tell of their rows a moment later.
    EXPECT_TRUE(eventually(20s, [&] {
        maintained(setup());
        return plan_maintenance(db_, setup()).empty();
    })) << json_text(json_of(plan_maintenance(db_, setup())));
}

TEST_F(Maintenance, VacuumsAndAnalyzesTablesThatChanged) {
    maintained(setup());
    with_.exec("ALTER TABLE products SET (autovacuum_enabled = off); UPDATE products SET specs = 'others'");
    ASSERT_TRUE(eventually(10s, [&] { return planned(Upkeep::vacuum) && planned(Upkeep::analyze); }));
    EXPECT_EQ(planned(Upkeep::vacuum)->object, "public.products");
    EXPECT_THAT(planned(Upkeep::vacuum)->reason, HasSubstr("1,500 dead rows"));
    maintained(setup());
    EXPECT_TRUE(eventually(10s, [&] { return !planned(Upkeep::vacuum) && !planned(Upkeep::analyze); }));
}

TEST_F(Maintenance, RefreshesTheViewWhereItIsNoLongerRight) {
    const auto task = planned(Upkeep::refresh);
    ASSERT_TRUE(task);
    EXPECT_THAT(task->reason, HasSubstr("there are 1,500 of 1,500"));
    maintained(setup());
    EXPECT_EQ(with_.value("SELECT products_with_embeddings FROM product_embedding_stats"), "1500");
    EXPECT_FALSE(planned(Upkeep::refresh));
}

TEST_F(Maintenance, DropsAnInvalidIndexAndMakesTheOneThatIsMissing) {
    with_.exec("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'idx_products_embedding_hnsw'::regclass");
    EXPECT_EQ(planned(Upkeep::drop_invalid)->object, "idx_products_embedding_hnsw");
    EXPECT_THAT(planned(Upkeep::reindex)->reason, HasSubstr("no valid index"));
    maintained(setup());
    const auto indexes = store::read_embedding_indexes(db_);
    EXPECT_EQ(std::ranges::count_if(indexes, [](const auto& index) { return index.searched() && index.is_valid; }), 1);
    EXPECT_FALSE(planned(Upkeep::reindex));
}

TEST_F(Maintenance, LeavesAnIndexAloneThatAnotherRoleBuilds) {
    const BuildOfOthers build{
        with_, "products", "CREATE INDEX CONCURRENTLY idx_of_others ON products USING hnsw (embedding vector_l2_ops)"};
    pg::Connection owner = pg::Connection::open(build.conninfo());
    owner.exec("SET statement_timeout = '2s'");  // a DROP INDEX would wait for the build to end
    const auto builds = store::read_embedding_storage(owner).builds;
    ASSERT_EQ(builds.size(), 1U);
    EXPECT_EQ(builds.front().phase, "by another role");
    for (const UpkeepTask& task : plan_maintenance(owner, setup()))
        EXPECT_NE(task.kind, Upkeep::drop_invalid) << task.object;
    EXPECT_THAT(operate::drop_invalid_indexes(owner), testing::IsEmpty());
}

TEST_F(Maintenance, IsNotKeptOffByABuildOfAnotherRoleOnAnotherTable) {
    const BuildOfOthers build{with_, "brands", "CREATE INDEX CONCURRENTLY idx_of_others ON brands (name)"};
    pg::Connection owner = pg::Connection::open(build.conninfo());
    EXPECT_THAT(store::read_embedding_storage(owner).builds, testing::IsEmpty());
}

TEST_F(Maintenance, BuildsAnIndexAnewThatFoundTooLittle) {
    const std::string oid = "SELECT 'idx_products_embedding_hnsw'::regclass::oid";
    const std::string before = with_.value(oid);
    with_.exec(
        "INSERT INTO decant.quality_probes (recall, queries, products, coverage, stale, milliseconds) VALUES (0.5, 50, "
        "1500, 1, 0, 1)");
    EXPECT_THAT(planned(Upkeep::reindex)->reason, HasSubstr("0.500 of the true nearest"));
    maintained(setup());
    EXPECT_NE(with_.value(oid), before);
    EXPECT_FALSE(planned(Upkeep::reindex)) << "the old index's recall is held against the new one";
}

TEST_F(Maintenance, KnowsHowLargeAnIndexIsToBe) {
    const auto indexes = store::read_embedding_indexes(db_);
    const auto found = std::ranges::find(indexes, "idx_products_embedding_hnsw", &store::EmbeddingIndex::name);
    const auto expected = operate::expected_index_bytes(*found->searched(), 1'500, SchemaCase::dimension);
    EXPECT_NEAR(static_cast<double>(found->bytes) / static_cast<double>(expected), 1, 0.2) << found->bytes;
}

TEST_F(Maintenance, DoesTheRestWhateverFails) {
    retained_.push_back({.name = "nothing", .prune = [](pg::Connection&) -> std::uint64_t {
                             throw Error{ErrorCode::timed_out, "locked", ""};
                         }});
    retained_.push_back({.name = "all", .prune = [](pg::Connection&) -> std::uint64_t { return 7; }});
    const std::vector<UpkeepTask> tasks = maintained(setup());
    const auto named = [&](const std::string& object) {
        return *std::ranges::find(tasks, object, &UpkeepTask::object);
    };
    EXPECT_EQ(named("nothing").state, UpkeepState::failed);
    EXPECT_EQ(named("nothing").outcome, "locked");
    EXPECT_EQ(named("all").outcome, "7 removed");
    EXPECT_EQ(named("product_embedding_stats").state, UpkeepState::done);
}

TEST_F(Maintenance, DoesTheRestAlsoWhereTheProbeFails) {
    with_.exec("ALTER TABLE decant.quality_probes ADD CONSTRAINT none CHECK (false) NOT VALID");
    const std::vector<UpkeepTask> tasks = maintained(setup());
    ASSERT_FALSE(tasks.empty());
    EXPECT_EQ(tasks.front().kind, Upkeep::probe);
    EXPECT_EQ(tasks.front().state, UpkeepState::failed);
    EXPECT_THAT(tasks.front().outcome, HasSubstr("quality_probes"));
    EXPECT_TRUE(std::ranges::all_of(tasks.begin() + 1, tasks.end(),
                                    [](const UpkeepTask& task) { return task.state == UpkeepState::done; }));
    EXPECT_GT(tasks.size(), 1U);
}

TEST_F(Maintenance, OfTheCommandIsToldAndKept) {
    const Outcome plan = with_.decant().run({"maintain", "--dry-run", "--json"});
    EXPECT_EQ(plan.exit_code, 0) << plan.told();
    EXPECT_TRUE(std::ranges::all_of(plan.json().at("tasks").as_array(),
                                    [](const auto& task) { return task.at("state") == "due"; }));
    EXPECT_EQ(with_.value("SELECT count(*) FROM decant.maintenance_runs"), "0");
    const Outcome done = with_.decant().run({"maintain", "--json"});
    EXPECT_EQ(done.exit_code, 0) << done.told();
    EXPECT_TRUE(std::ranges::all_of(done.json().at("tasks").as_array(), [](const auto& task) {
        return task.at("state") == "done";
    })) << done.out;
    EXPECT_EQ(with_.value("SELECT jsonb_array_length(tasks) FROM decant.maintenance_runs WHERE ended_at IS NOT NULL"),
              std::to_string(done.json().at("tasks").as_array().size()));
}

TEST_F(Maintenance, OfTheIndexTellsItsRecallOverTime) {
    with_.exec(
        "INSERT INTO decant.quality_probes (measured_at, recall, queries, products, coverage, stale, milliseconds) "
        "VALUES (now() - interval '2 days', 0.8, 50, 1500, 1, 0, 1), (now() - interval '1 day', 0.9, 50, 1500, 1, 0, "
        "1)");
    const Outcome good = with_.decant().run({"maintain", "recall", "--json"});
    EXPECT_EQ(good.exit_code, 0) << good.told();
    EXPECT_EQ(good.json().at("trend"), "better");
    EXPECT_NEAR(good.json().at("before").to_number<double>(), 0.85, 1e-9);
    EXPECT_EQ(good.json().at("history").as_array().size(), 3U);
}

struct DueCase {
    const char* name;
    const char* last_run;  ///< empty: none
    const char* now;
    const char* due;  ///< empty: nothing
};

class MaintenanceDue : public testing::TestWithParam<DueCase> {
protected:
    SchemaCase with_;
};

// The clocks of Buenos Aires are three hours behind UTC; times up to 2026-03-01 00:00 UTC are before any server began.
TEST_P(MaintenanceDue, ByTheHoursOfTheZone) {
    const auto& [name, last_run, now, due] = GetParam();
    if (*last_run != '\0')
        with_.exec(fmt::format("INSERT INTO decant.maintenance_runs (started_at) VALUES ('{}')", last_run));
    pg::Connection db = with_.open();
    EXPECT_EQ(
        due_maintenance(db, {.hours = {3, 15}, .zone = "America/Argentina/Buenos_Aires"}, "2026-03-01T00:00:00Z", now)
            .value_or(""),
        due);
}

INSTANTIATE_TEST_SUITE_P(Times, MaintenanceDue,
                         testing::Values(DueCase{"BeforeTheFirstTime", "", "2026-03-01T05:59:00Z", ""},
                                         DueCase{"AtTheFirstTime", "", "2026-03-01T06:00:00Z", "2026-03-01T06:00:00Z"},
                                         DueCase{"AfterARunForIt", "2026-03-01T06:00:05Z", "2026-03-01T17:00:00Z", ""},
                                         DueCase{"AtTheNextTime", "2026-03-01T06:00:05Z", "2026-03-01T18:30:00Z",
                                                 "2026-03-01T18:00:00Z"},
                                         DueCase{"AfterDaysWithoutAServer", "2026-02-01T06:00:05Z",
                                                 "2026-03-05T07:00:00Z", "2026-03-05T06:00:00Z"}),
                         [](const auto& param) { return std::string{param.param.name}; });

/// At every hour.
api::MaintenanceDuty::Setup hourly(const operate::MaintenanceSetup& maintenance) {
    return {.maintenance = maintenance,
            .hours = {.hours = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23},
                      .zone = "UTC"},
            .look_interval = 20ms,
            .since = "2020-01-01"};
}

TEST_F(Maintenance, ThatCannotBePlannedIsToldAndItsRunEnds) {
    with_.exec("ALTER TABLE products DROP COLUMN embedding CASCADE");
    testing::internal::CaptureStderr();
    {
        const api::MaintenanceDuty duty{hourly(setup())};
        EXPECT_TRUE(
            eventually(20s, [&] { return with_.value("SELECT count(ended_at) FROM decant.maintenance_runs") != "0"; }));
    }
    EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("maintenance: nothing was done"));
    EXPECT_EQ(with_.value("SELECT tasks -> 0 ->> 'state' FROM decant.maintenance_runs"), "failed");
    EXPECT_THAT(with_.value("SELECT tasks -> 0 ->> 'outcome' FROM decant.maintenance_runs"), HasSubstr("embedding"));
}

TEST_F(Maintenance, BeginsOncePerTimeOverAllServers) {
    const api::MaintenanceDuty::Setup duty = hourly(setup());
    const std::string runs = "SELECT count(*), count(ended_at), count(DISTINCT due_at) FROM decant.maintenance_runs";
    const api::MaintenanceDuty one{duty};
    const api::MaintenanceDuty two{duty};
    EXPECT_TRUE(
        eventually(30s, [&] { return with_.value("SELECT count(ended_at) FROM decant.maintenance_runs") != "0"; }));
    // Not one a look of theirs; two where the hour has just ended.
    const pg::Result row = db_.exec(runs);
    EXPECT_EQ(row.integer(0, 0), row.integer(0, 2));
    EXPECT_LE(row.integer(0, 0), 2);
    EXPECT_FALSE(planned(Upkeep::refresh));
}

}  // namespace
}  // namespace decant::test
