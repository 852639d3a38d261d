#include <fmt/format.h>
#include <signal.h>

#include <string>
#include <utility>

#include "core/error.hpp"
#include "migrate/replace.hpp"
#include "migrate/run_store.hpp"
#include "tests/support/copy_case.hpp"
#include "tests/support/eventually.hpp"

namespace decant::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

/// A table `products` of somebody else's, with an index, and a source to replace it by.
class Replace : public testing::Test {
protected:
    Replace() {
        with_.source().put_samples(0, 150);
        with_.exec(
            "CREATE TABLE products (id text PRIMARY KEY, name text, price numeric); "
            "INSERT INTO products SELECT i, 'name ' || i, i FROM generate_series(1, 50) i; "
            "CREATE INDEX products_price ON products (price)");
        before_ = with_.content();
    }

    Outcome rollback(const std::vector<std::string>& more = {}) {
        std::vector<std::string> arguments{"rollback", "products"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return with_.decant().run(arguments);
    }

    /// A copy `items` is replaced, then `since` is done, then it is rolled back and replaced again: what is kept of it
    /// then is the copy of before all this.
    template <typename Since>
    void expect_kept_when_replaced_again(const std::string& failpoint, const Since& since) {
        with_.copied({"--to", "items"});
        const std::string restored = with_.content("items");
        with_.source().put_samples(0, 10, 1);
        with_.decant().run(with_.copy_arguments({"--to", "items", "--replace"}), {"DECANT_FAILPOINT=" + failpoint});
        since();
        ASSERT_EQ(with_.decant().run({"rollback", "items"}).exit_code, 0);
        ASSERT_EQ(with_.content("items"), restored);
        EXPECT_EQ(with_.value("SELECT count(*) FROM decant.runs WHERE state = 'done'"), "1");
        const auto report = with_.copied({"--to", "items", "--replace"});
        EXPECT_EQ(with_.content(std::string{report.at("previous_table").as_string()}), restored);
        EXPECT_NE(with_.content("items"), restored);
    }

    CopyCase with_;
    std::string before_;
};

TEST_F(Replace, KeepsThePreviousTableAndItsIndexes) {
    const auto report = with_.copied({"--replace"});
    const std::string previous{report.at("previous_table").as_string()};
    EXPECT_EQ(with_.content(previous), before_);
    EXPECT_EQ(with_.value("SELECT count(*) FROM products"), "150");
    EXPECT_EQ(with_.value(fmt::format("SELECT count(*) FROM pg_indexes WHERE tablename = '{}'", previous)), "2");
    EXPECT_EQ(with_.value("SELECT string_agg(indexname, ' ' ORDER BY indexname) FROM pg_indexes "
                          "WHERE tablename = 'products'"),
              "products_embedding_hnsw products_metadata_gin products_pkey");
}

TEST_F(Replace, B1_RollbackPutsBackTheOldStateInUnderASecond) {
    with_.copied({"--replace"});
    const Outcome outcome = rollback();
    EXPECT_EQ(outcome.exit_code, 0) << outcome.told();
    EXPECT_LT(outcome.seconds, 1.0);
    EXPECT_EQ(with_.content(), before_);
    EXPECT_EQ(with_.value("SELECT string_agg(indexname, ' ' ORDER BY indexname) FROM pg_indexes "
                          "WHERE tablename = 'products'"),
              "products_pkey products_price");
}

TEST_F(Replace, TheSameReplaceAgainKeepsThePreviousTable) {
    with_.copied({"--replace"});
    with_.copied({"--replace"});
    EXPECT_EQ(rollback().exit_code, 0);
    EXPECT_EQ(with_.content(), before_);
}

TEST_F(Replace, DoesNotDropATableThatOnlyHasTheNameOfAKeptOne) {
    with_.exec("CREATE TABLE products__decant_new AS SELECT 1 AS mine");
    const Outcome outcome = with_.copy({"--replace"});
    EXPECT_EQ(outcome.exit_code, 75) << outcome.told();
    EXPECT_EQ(with_.value("SELECT mine FROM products__decant_new"), "1");
    EXPECT_EQ(with_.content(), before_);
}

TEST_F(Replace, CanReplaceAgainAfterARollback) {
    with_.copied({"--replace"});
    ASSERT_EQ(rollback().exit_code, 0);
    with_.copied({"--replace"});
    EXPECT_EQ(with_.value("SELECT count(*) FROM products"), "150");
    ASSERT_EQ(rollback().exit_code, 0);
    EXPECT_EQ(with_.content(), before_);
}

TEST_F(Replace, ATableThatIsRolledBackStillHasItsRunRecordAfterAPrune) {
    with_.copied({"--to", "items"});
    with_.copied({"--to", "items"});
    with_.copied({"--to", "items", "--replace"});
    with_.copied({"--to", "items"});
    EXPECT_EQ(with_.decant().run({"runs", "prune", "--keep", "0", "--json"}).out, "{\"removed\":1}\n");
    ASSERT_EQ(with_.decant().run({"rollback", "items"}).exit_code, 0);
    const Outcome verified = with_.verify("source", "items");
    EXPECT_EQ(verified.exit_code, 0) << verified.told();
}

TEST_F(Replace, KeepsARestoredTableWhoseUndoneCopyWasRunAgain) {
    expect_kept_when_replaced_again("", [&] {
        with_.copied({"--to", "items"});
        with_.copied({"--to", "items", "--replace"});
    });
}

TEST_F(Replace, KeepsARestoredTableWhoseUndoneSwapWasKilledBeforeItsEnd) {
    expect_kept_when_replaced_again("copy.swapped:1", [&] {
        with_.copied({"--to", "items", "--replace"});
        with_.copied({"--to", "items"});
    });
}

TEST_F(Replace, KeepsARestoredTableWhoseUndoneSwapWasKilledAndItsSourceChanged) {
    expect_kept_when_replaced_again("copy.swapped:1", [&] {
        with_.source().put_samples(0, 10, 2);
        with_.copied({"--to", "items"});
        with_.copied({"--to", "items"});
    });
}

TEST_F(Replace, KeepsARestoredTableThoughRunsWerePrunedBeforeTheRollback) {
    expect_kept_when_replaced_again("", [&] {
        with_.copied({"--to", "items"});
        with_.copied({"--to", "items"});
        EXPECT_EQ(with_.decant().run({"runs", "prune", "--keep", "2"}).exit_code, 0);
    });
}

TEST_F(Replace, TheSameReplaceAgainKeepsTheCopyWhereThePreviousTableWasDropped) {
    with_.copied({"--replace"});
    const std::string copied = with_.content();
    with_.exec("DROP TABLE products__decant_old");
    with_.copied({"--replace"});
    EXPECT_EQ(with_.content("products__decant_old"), copied);
}

TEST_F(Replace, RollbackUndoesAReplaceThatWasStoppedWhileAnotherCopyRan) {
    with_.copied({"--to", "items"});
    with_.decant().run(with_.copy_arguments({"--to", "items", "--replace"}), {"DECANT_FAILPOINT=copy.loaded:1"});
    with_.copied({"--to", "items"});
    with_.exec("UPDATE items SET document = 'own' WHERE id = 'record-000003'");
    const std::string restored = with_.content("items");
    with_.copied({"--to", "items", "--replace"});
    ASSERT_NE(with_.content("items"), restored);
    EXPECT_EQ(with_.decant().run({"rollback", "items"}).exit_code, 0);
    EXPECT_EQ(with_.content("items"), restored);
}

TEST_F(Replace, B1_RollbackRefusesWhenRowsWereWrittenSinceUnlessForced) {
    with_.copied({"--replace"});
    with_.exec("UPDATE products SET document = 'edited' WHERE id IN ('record-000003', 'record-000004')");
    const std::string edited = with_.content();
    const Outcome refused = rollback();
    EXPECT_EQ(refused.exit_code, 75) << refused.told();
    EXPECT_THAT(refused.err, HasSubstr("2 rows"));
    EXPECT_THAT(refused.err, HasSubstr("--force"));
    EXPECT_EQ(with_.content(), edited);
    const Outcome forced = rollback({"--force", "--json"});
    EXPECT_EQ(forced.exit_code, 0) << forced.told();
    EXPECT_EQ(with_.content(), before_);
    EXPECT_EQ(with_.content(std::string{forced.json().at("undone_table").as_string()}), edited);
}

TEST_F(Replace, B1_RollbackAfterALaterCopyStillGivesTheOldState) {
    with_.copied({"--replace"});
    with_.source().put_samples(150, 10);
    with_.copied();
    const Outcome outcome = rollback();
    EXPECT_EQ(outcome.exit_code, 0) << outcome.told();
    EXPECT_EQ(with_.content(), before_);
}

TEST_F(Replace, B1_ASecondRollbackSaysThatNothingIsKept) {
    with_.copied({"--replace"});
    rollback();
    const Outcome second = rollback();
    EXPECT_EQ(second.exit_code, 65) << second.told();
    EXPECT_THAT(second.err, HasSubstr("No previous table is kept for public.products"));
    EXPECT_EQ(with_.content(), before_);
}

TEST_F(Replace, B1_AKilledRollbackChangesNothing) {
    with_.copied({"--replace"});
    const std::string copied = with_.content();
    auto reader = with_.open();
    reader.exec("BEGIN; SELECT count(*) FROM products");
    RunningDecant running = with_.decant().start({"rollback", "products"});
    auto watcher = with_.open();
    ASSERT_TRUE(eventually(10s, [&] {
        return watcher.exec("SELECT FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'").rows() > 0;
    }));
    running.signal(SIGKILL);
    running.wait();
    reader.exec("ROLLBACK");
    EXPECT_EQ(with_.content(), copied);
    ASSERT_EQ(rollback().exit_code, 0);
    EXPECT_EQ(with_.content(), before_);
}

TEST_F(Replace, SwapsNothingInForAProcessWhoseRunIsAnothersNow) {
    with_.decant().run(with_.copy_arguments({"--replace"}), {"DECANT_FAILPOINT=copy.verified:1"});
    const auto run = std::stoll(with_.value("SELECT id FROM decant.runs"));
    const std::string token = with_.value("SELECT token FROM decant.runs");
    const migrate::Swap swap{.target = {.schema = "public", .table = "products"},
                             .load_table = with_.value("SELECT load_table FROM decant.runs"),
                             .run_id = run,
                             .token = token};
    pg::Connection db = with_.open();
    const auto swap_code = [&] {
        try {
            migrate::swap_tables(db, swap);
        } catch (const Error& error) {
            return error.code();
        }
        return ErrorCode::internal;
    };
    migrate::RunStore{db}.abandon(run);
    EXPECT_EQ(swap_code(), ErrorCode::busy) << "what is loaded may be the next run's";
    EXPECT_EQ(with_.content(), before_);
    migrate::RunStore{db}.take_over(run, "another");
    EXPECT_EQ(swap_code(), ErrorCode::busy);
    migrate::RunStore{db}.take_over(run, token);
    migrate::swap_tables(db, swap);
    EXPECT_EQ(with_.value("SELECT count(*) FROM products"), "150");
}

TEST_F(Replace, KeepsNothingWithDropOld) {
    with_.copied({"--replace", "--drop-old"});
    EXPECT_EQ(with_.value("SELECT string_agg(tablename, ' ') FROM pg_tables WHERE schemaname = 'public'"), "products");
    EXPECT_EQ(rollback().exit_code, 65);
}

TEST_F(Replace, TakesOverOwnerAndGrants) {
    with_.exec(
        "DROP ROLE IF EXISTS shop_owner; DROP ROLE IF EXISTS shop_reader; CREATE ROLE shop_owner; "
        "CREATE ROLE shop_reader; ALTER TABLE products OWNER TO shop_owner; "
        "GRANT SELECT, UPDATE ON products TO shop_reader; GRANT SELECT ON products TO PUBLIC");
    constexpr const char* access =
        "SELECT pg_get_userbyid(relowner) || string_agg(grantee::text || privilege_type || is_grantable, ' ' "
        "ORDER BY grantee, privilege_type) FROM pg_class, aclexplode(relacl) WHERE oid = 'products'::regclass "
        "GROUP BY relowner";
    const std::string before = with_.value(access);
    with_.copied({"--replace"});
    EXPECT_EQ(with_.value(access), before);
    rollback();
    EXPECT_EQ(with_.value(access), before);
    with_.exec("DROP OWNED BY shop_owner, shop_reader; DROP ROLE shop_owner; DROP ROLE shop_reader");
}

TEST_F(Replace, RefusesWhileForeignKeysViewsOrTriggersHangOnTheTable) {
    const std::pair<std::string, std::string> dependants[]{
        {"CREATE TABLE orders (product text REFERENCES products)", "foreign key orders_product_fkey"},
        {"CREATE VIEW cheap AS SELECT * FROM products WHERE price < 10", "view cheap"},
        {"CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; "
         "CREATE TRIGGER audit BEFORE UPDATE ON products FOR EACH ROW EXECUTE FUNCTION nothing()",
         "trigger audit"}};
    for (const auto& [sql, name] : dependants) {
        with_.exec(sql);
        const Outcome outcome = with_.copy({"--replace"});
        EXPECT_EQ(outcome.exit_code, 75) << outcome.told();
        EXPECT_THAT(outcome.err, HasSubstr(name));
        EXPECT_EQ(with_.content(), before_);
    }
    EXPECT_EQ(with_.value("SELECT count(*) FROM pg_tables WHERE tablename ~ 'decant'"), "0");
}

TEST_F(Replace, DoesNotSwapWhenTheReadBackDiffers) {
    // A column that changes what is written: the verification sees it.
    with_.exec(
        "CREATE FUNCTION spoil() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF to_regclass('products__decant_new') IS NOT NULL THEN "
        "CREATE OR REPLACE FUNCTION loud() RETURNS trigger LANGUAGE plpgsql AS "
        "'BEGIN IF NEW.id = ''record-000005'' THEN NEW.document := upper(NEW.document); END IF; RETURN NEW; END'; "
        "CREATE TRIGGER loud BEFORE INSERT ON products__decant_new FOR EACH ROW EXECUTE FUNCTION loud(); "
        "END IF; END $$; CREATE EVENT TRIGGER spoil ON ddl_command_end WHEN TAG IN ('CREATE TABLE') "
        "EXECUTE FUNCTION spoil()");
    const Outcome outcome = with_.copy({"--replace"});
    EXPECT_EQ(outcome.exit_code, 1) << outcome.told();
    EXPECT_THAT(outcome.out, HasSubstr("record-000005"));
    EXPECT_EQ(with_.content(), before_);
}

}  // namespace
}  // namespace decant::test
