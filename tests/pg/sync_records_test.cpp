// sync csv and sync sql: files and other databases into the catalog, again and again.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/object.hpp>
#include <fstream>

#include "tests/support/schema_case.hpp"

namespace decant::test {
namespace {

using testing::HasSubstr;

class SyncRecords : public testing::Test {
protected:
    SyncRecords() : with_(ThrowawayCluster::shared().create_database()) {
        const Outcome up = with_.decant().run({"schema", "up", "--dimension", "8"});
        EXPECT_EQ(up.exit_code, 0) << up.told();
    }

    Outcome sync_csv(const std::string& text, const std::vector<std::string>& more = {}) const {
        std::ofstream{with_.decant().folder() / "products.csv"} << text;
        std::vector<std::string> arguments{"sync", "csv", "products.csv", "--json"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return with_.decant().run(arguments);
    }
    /// "created updated unchanged deactivated withheld quarantined"
    static std::string counts(const Outcome& outcome) {
        const boost::json::object report = outcome.json().as_object();
        std::string out;
        for (const char* name : {"created", "updated", "unchanged", "deactivated", "withheld", "quarantined"})
            out += (out.empty() ? "" : " ") + std::to_string(report.at(name).to_number<int>());
        return out;
    }
    /// Ten products but those in `without`.
    static std::string ten(const std::string& without = "", const std::string& price = "100") {
        std::string text = "sku,name,price,stock,category\n";
        for (int i = 0; i < 10; ++i)
            if (without.find(std::to_string(i)) == std::string::npos)
                text += fmt::format("A-{0},Mate {0},\"{1}\",5,mates\n", i, price);
        return text;
    }
    std::string active() const {
        return with_.value(
            "SELECT coalesce(string_agg(substr(sku, 3), '' ORDER BY sku), '') FROM products WHERE active");
    }

    SchemaCase with_;
};

TEST_F(SyncRecords, WriteWhatIsNewOrOtherAndNothingElse) {
    EXPECT_EQ(counts(sync_csv(ten())), "10 0 0 0 0 0");
    const std::string row_versions = "SELECT string_agg(xmin::text || ctid, ' ' ORDER BY sku) FROM products";
    const std::string before = with_.value(row_versions);
    const Outcome again = sync_csv(ten());
    EXPECT_EQ(again.exit_code, 0) << again.told();
    EXPECT_EQ(counts(again), "0 0 10 0 0 0");
    EXPECT_EQ(with_.value(row_versions), before);
}

TEST_F(SyncRecords, HaveAProductEmbeddedAgainForItsTextAlone) {
    sync_csv(ten());
    with_.exec("DELETE FROM decant.embedding_jobs");
    EXPECT_EQ(counts(sync_csv(ten("", "120,50"))), "0 10 0 0 0 0");
    EXPECT_EQ(with_.value("SELECT count(*) FROM decant.embedding_jobs"), "0");
    sync_csv("sku,name\nA-3,Termo\n");
    EXPECT_EQ(with_.value("SELECT count(*) FROM decant.embedding_jobs"), "1");
    EXPECT_EQ(with_.value("SELECT price FROM products WHERE sku = 'A-3'"), "120.5") << "what is not said stays";
}

TEST_F(SyncRecords, DeactivateNothingUnlessTheyAreAllThatThereIs) {
    sync_csv(ten());
    EXPECT_EQ(counts(sync_csv(ten("7"))), "0 0 9 0 0 0");
    EXPECT_EQ(active(), "0123456789");
    const Outcome full = sync_csv(ten("7"), {"--full"});
    EXPECT_EQ(full.exit_code, 0) << full.told();
    EXPECT_EQ(counts(full), "0 0 9 1 0 0");
    EXPECT_EQ(active(), "012345689");
    EXPECT_EQ(counts(sync_csv(ten(), {"--full"})), "0 1 9 0 0 0") << "it is back";
    EXPECT_EQ(active(), "0123456789");
}

TEST_F(SyncRecords, DeactivateNothingWhereTooManyWouldGo) {
    sync_csv(ten(), {"--full"});
    const Outcome half = sync_csv(ten("01234"), {"--full"});
    EXPECT_EQ(half.exit_code, 1) << half.told();
    EXPECT_EQ(counts(half), "0 0 5 0 5 0");
    EXPECT_EQ(active(), "0123456789");
}

TEST_F(SyncRecords, TakeNoProductForGoneWhoseRecordCannotBeReadButForItsSku) {
    sync_csv(ten());
    std::string text = "price,sku,name,stock,category\n";
    for (int i = 0; i < 9; ++i)
        text += fmt::format("{1},A-{0},Mate {0},5,mates\n", i, i == 3 ? "N/D" : "100");
    EXPECT_EQ(counts(sync_csv(text, {"--full"})), "0 0 8 1 0 1");
    EXPECT_EQ(active(), "012345678");
}

TEST_F(SyncRecords, DeactivateNothingWhereARecordMayBeOfAnyProduct) {
    sync_csv(ten());
    const Outcome full = sync_csv(ten("37") + ",Mate 3,100,5,mates\n", {"--full"});
    EXPECT_EQ(full.exit_code, 1) << full.told();
    EXPECT_EQ(counts(full), "0 0 8 0 2 1");
    EXPECT_EQ(full.json().at("without_sku"), 1);
    EXPECT_EQ(active(), "0123456789");
    const Outcome told = with_.decant().run({"sync", "csv", "products.csv", "--full"});
    EXPECT_THAT(told.out,
                HasSubstr("Not deactivated, because they may be the 1 items whose sku could not be read: 2\n"));
}

TEST_F(SyncRecords, KeepWhatCannotBeReadWithItsReason) {
    const Outcome outcome = sync_csv(
        "sku,name,price,stock,category\nB-1,Bombilla,\"1,234\",1,mates\n,No key,1,1,mates\nB-2,Termo,9,1,mates\n");
    EXPECT_EQ(outcome.exit_code, 1);
    EXPECT_EQ(counts(outcome), "1 0 0 0 0 2");
    const Outcome listed = with_.decant().run({"sync", "quarantine"});
    EXPECT_THAT(listed.out, HasSubstr("may be thousands or decimals"));
    EXPECT_THAT(listed.out, HasSubstr("it has no sku"));
}

TEST_F(SyncRecords, OfADryRunAreOnlyCounted) {
    EXPECT_EQ(counts(sync_csv(ten(), {"--dry-run"})), "10 0 0 0 0 0");
    EXPECT_EQ(with_.value("SELECT (SELECT count(*) FROM products) + (SELECT count(*) FROM decant.sync_runs)"), "0");
}

TEST_F(SyncRecords, ComeFromAQueryOfAnotherDatabase) {
    const std::string other = ThrowawayCluster::shared().create_database();
    pg::Connection::open(other).exec(
        "CREATE TABLE articles (code text, title text, net numeric, units int, family text);"
        "INSERT INTO articles VALUES ('A-1', 'Mate', 1.234, 7, 'mates'), ('A-2', 'Termo', 99.90, -1, 'termos')");
    const Outcome outcome = with_.decant().run(
        {"sync", "sql", "--dsn", other, "--query",
         "SELECT code AS sku, title AS name, net AS price, units AS stock, family AS category FROM articles",
         "--json"});
    EXPECT_EQ(outcome.exit_code, 1) << outcome.told();
    EXPECT_EQ(counts(outcome), "1 0 0 0 0 1") << "a negative stock is no count";
    EXPECT_EQ(with_.value("SELECT sku || ' ' || name || ' ' || price || ' ' || stock FROM products"),
              "A-1 Mate 1.234 7");
    EXPECT_EQ(with_.value("SELECT source || ' ' || state FROM decant.sync_runs"), "sql complete");
    EXPECT_EQ(with_.value("SELECT count(*) FROM decant.sync_runs WHERE origin LIKE '%password%'"), "0");
}

TEST_F(SyncRecords, SayWhyAQueryFails) {
    const Outcome outcome = with_.decant().run(
        {"sync", "sql", "--dsn", with_.decant().conninfo(), "--query", "SELECT 1 AS sku FROM nowhere"});
    EXPECT_EQ(outcome.exit_code, 65) << outcome.told();
    EXPECT_THAT(outcome.err, HasSubstr("nowhere"));
}

}  // namespace
}  // namespace decant::test
