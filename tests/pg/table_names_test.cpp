#include <fmt/format.h>
#include <sqlite3.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/support/copy_case.hpp"

namespace decant::test {
namespace {

using testing::HasSubstr;

/// Collections and people name tables as they like.
class TableNames : public testing::Test {
protected:
    TableNames() { with_.source().put_samples(0, 30); }

    void rename_collection(const std::string& sql_expression) {
        sqlite3* db = nullptr;
        sqlite3_open((with_.source().path() / "chroma.sqlite3").c_str(), &db);
        const std::unique_ptr<sqlite3, int (*)(sqlite3*)> owned{db, &sqlite3_close};
        const std::string sql = "UPDATE collections SET name = " + sql_expression;
        ASSERT_EQ(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK);
    }

    Outcome copy_all() { return with_.decant().run({"copy", "--from", with_.source().path(), "--all-collections"}); }

    CopyCase with_;
};

TEST_F(TableNames, LongOnesThatBeginAlikeKeepTheirOwnPreviousTables) {
    const std::string start(60, 'x');
    for (const std::string& name : {start + "_1", start + "_2"}) {
        with_.exec(fmt::format("CREATE TABLE {0} (was text); INSERT INTO {0} VALUES ('{0}')", name));
        with_.copied({"--to", name, "--replace"});
    }
    for (const std::string& name : {start + "_1", start + "_2"}) {
        const Outcome outcome = with_.decant().run({"rollback", name});
        EXPECT_EQ(outcome.exit_code, 0) << outcome.told();
        EXPECT_EQ(with_.value("SELECT was FROM " + name), name);
    }
}

TEST_F(TableNames, ATableRenamedByHandDoesNotKeepTheNextCopyFromItsIndexes) {
    with_.copied();
    with_.exec("ALTER TABLE products RENAME TO products_of_june");
    with_.copied();
    EXPECT_EQ(with_.value("SELECT count(*) FROM pg_indexes WHERE tablename = 'products'"), "3");
    with_.copied();
    EXPECT_EQ(with_.value("SELECT count(*) FROM pg_indexes WHERE tablename = 'products'"), "3");
}

TEST_F(TableNames, AViewIsRefusedBeforeAnythingIsLoaded) {
    with_.exec("CREATE MATERIALIZED VIEW products AS SELECT 1 AS id");
    const Outcome outcome = with_.copy({"--replace"});
    EXPECT_EQ(outcome.exit_code, 75) << outcome.told();
    EXPECT_THAT(outcome.err, HasSubstr("no ordinary table but a materialized view"));
    EXPECT_EQ(with_.value("SELECT count(*) FROM decant.runs"), "0");
}

TEST_F(TableNames, ANameWithU0000IsRefusedAndNotCut) {
    rename_collection("'cut' || char(0) || 'off'");
    const Outcome outcome = copy_all();
    EXPECT_EQ(outcome.exit_code, 2) << outcome.told();
    EXPECT_EQ(with_.value("SELECT to_regclass('cut') IS NULL"), "t");
}

TEST_F(TableNames, ANameThatWouldSteerTheTerminalIsCopiedAndShownEscaped) {
    rename_collection("'red' || char(27) || '[31m' || char(155) || char(10) || '''q'");
    with_.source().put({{.id = "!\x1b[2J", .vector = std::vector<float>(with_.source().dimension(), 1.0F)}});
    const Outcome outcome = copy_all();
    EXPECT_EQ(outcome.exit_code, 0) << outcome.told();
    EXPECT_EQ(outcome.out.find('\x1b'), std::string::npos) << outcome.out;
    EXPECT_EQ(outcome.out.find("\xc2\x9b"), std::string::npos) << outcome.out;
    EXPECT_THAT(outcome.out, HasSubstr("WHERE id = E'!\\x1b[2J'"));
    EXPECT_EQ(with_.value("SELECT count(*) FROM pg_class WHERE relname LIKE 'red%q' AND relkind = 'r'"), "1");
}

TEST_F(TableNames, WhatACopyWithoutPruneLeftIsNotCountedAsEqual) {
    with_.copied();
    with_.exec("INSERT INTO products (id, embedding) SELECT 'mine', embedding FROM products LIMIT 1");
    with_.copied();
    const Outcome outcome = with_.decant().run({"verify", "products"});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.told();
    EXPECT_THAT(outcome.out, HasSubstr("all 30 rows equal, bit for bit; 1 other rows of the table are not from"));
}

}  // namespace
}  // namespace decant::test
