// decant schema roles: what each of the three roles can do, and what it cannot.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <csignal>
#include <fstream>

#include "core/error.hpp"
#include "tests/support/fake_ollama.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/schema_case.hpp"
#include "tests/support/search_load.hpp"
#include "tests/support/serve_case.hpp"

namespace decant::test {
namespace {

using testing::HasSubstr;

/// A catalog with embedded products whose roles are made, and the program as each of them.
class Roles : public testing::Test {
protected:
    Roles()
        : ollama_({.dimension = 8}),
          with_(ThrowawayCluster::shared().create_database()),
          owner_(conninfo_of("_owner")),
          app_(conninfo_of("_app")),
          reader_(conninfo_of("_reader")) {
        expect_done(with_.decant().run({"schema", "up", "--dimension", "8"}));
        with_.exec(
            "INSERT INTO categories (name, display_name) VALUES ('audio', 'Audio');"
            "INSERT INTO products (name, specs, price, stock, sku, category_id) "
            "SELECT 'Producto ' || i, '', 100 + i, 5, 'p-' || i, c.id FROM generate_series(1, 20) i, categories c");
        expect_done(with_.decant().run({"embed", "--all"}, embedder()));
        expect_done(with_.decant().run({"schema", "roles", "--apply"}));
    }

    std::string database() const { return database_of(with_.decant().conninfo()); }
    std::string conninfo_of(const std::string& suffix) const {
        return fmt::format("host={} port={} user={}{} dbname={}", ThrowawayCluster::shared().folder().string(),
                           ThrowawayCluster::shared().port(), database(), suffix, database());
    }
    std::vector<std::string> embedder() const {
        return {"OLLAMA_API_URL=" + ollama_.url(), "PGVECTOR_SIMILARITY_THRESHOLD=-1"};
    }

    static void expect_done(const Outcome& outcome) { EXPECT_EQ(outcome.exit_code, 0) << outcome.told(); }
    static void expect_refused(const DecantProgram& as, const std::string& sql) {
        pg::Connection db = pg::Connection::open(as.conninfo());
        try {
            db.exec(sql);
            FAIL() << "allowed: " << sql;
        } catch (const Error& error) {
            // 25006 of the reader's read-only transactions, before any right is looked at.
            EXPECT_THAT(error.happened(), testing::AnyOf(HasSubstr("(42501)"), HasSubstr("(25006)"))) << sql;
        }
    }

    FakeOllama ollama_;
    SchemaCase with_;
    DecantProgram owner_;
    DecantProgram app_;
    DecantProgram reader_;
};

constexpr std::array changes_of_schema{
    "CREATE TABLE public.mine (i int)",
    "CREATE TABLE decant.mine (i int)",
    "CREATE SCHEMA mine",
    "ALTER TABLE products ADD COLUMN mine int",
    "ALTER TABLE decant.embedding_jobs ADD COLUMN mine int",
    "DROP TABLE decant.synonyms",
    "DROP INDEX idx_products_embedding_hnsw",
    "CREATE INDEX mine ON products (name)",
    "CREATE OR REPLACE FUNCTION public.refresh_embedding_stats() RETURNS void LANGUAGE sql AS 'SELECT'",
    "ALTER TABLE products DISABLE TRIGGER ALL",
    "TRUNCATE products CASCADE",
    "CREATE ROLE mine",
    "DROP EXTENSION vector CASCADE",
};

TEST_F(Roles, ApplicationDoesWhatSyncWorkerAndProductsNeed) {
    std::ofstream{app_.folder() / "products.csv"}
        << "sku,name,price,stock,category\nA-1,Mate,100,5,mates\np-1,Nuevo,1,1,audio\n";
    expect_done(app_.run({"products", "load", "products.csv"}));
    expect_done(app_.run({"sync", "csv", "products.csv"}));
    expect_done(app_.run({"worker", "--once"}, embedder()));
    expect_done(app_.run({"embed", "--missing"}, embedder()));
    expect_done(app_.run({"jobs", "list"}));
    expect_done(app_.run({"synonyms", "add", "mate", "porongo"}));
    expect_done(app_.run({"search", "mate"}, embedder()));
    EXPECT_EQ(with_.value("SELECT count(*) FROM products WHERE embedding IS NULL"), "0");
    EXPECT_EQ(with_.value("SELECT count(*) FROM decant.product_words"), "21");
}

TEST_F(Roles, ApplicationServesSearchesAndChatsAndKeepsTheirRecords) {
    std::vector<std::string> environment = embedder();
    environment.emplace_back("DECANT_RATE_SEARCH=0");
    ServedDecant server{app_, environment};
    RawClient client{server.port()};
    client.send(json_post("/api/v1/pgvector/search", R"({"query": "producto"})"));
    EXPECT_EQ(client.read_answer().value().status, 200);
    client.send(json_post("/api/v1/chat/message", R"({"message": "hola", "user_id": "u"})"));
    EXPECT_EQ(client.read_answer().value().status, 200);
    server.process().signal(SIGTERM);
    EXPECT_EQ(server.process().wait().exit_code, 0);
    EXPECT_EQ(with_.value("SELECT count(*) FROM decant.chat_sessions"), "1");
    EXPECT_NE(with_.value("SELECT count(*) FROM decant.search_events"), "0");
}

TEST_F(Roles, ApplicationChangesNoSchemaAndMakesNoKey) {
    for (const char* sql : changes_of_schema)
        expect_refused(app_, sql);
    expect_refused(app_, "INSERT INTO decant.api_keys (name, key_hash) VALUES ('k', '')");
    expect_refused(app_, "UPDATE decant.api_keys SET revoked_at = NULL");
    expect_refused(app_, "DELETE FROM decant.schema_migrations");
    EXPECT_EQ(app_.run({"schema", "down", "--yes"}).exit_code, 77);
    EXPECT_EQ(with_.value("SELECT count(*) FROM products"), "20");
}

TEST_F(Roles, ReaderSearches) {
    const Outcome searched = reader_.run({"search", "producto", "--json"}, embedder());
    expect_done(searched);
    EXPECT_THAT(searched.out, HasSubstr("Producto"));
    const Outcome similar = reader_.run({"similar", "p-1", "--json"});
    expect_done(similar);
    EXPECT_THAT(similar.out, HasSubstr("Producto"));
}

TEST_F(Roles, ReaderWritesNothingAndReadsNothingElse) {
    for (const char* sql : changes_of_schema)
        expect_refused(reader_, sql);
    const std::string writes = "SET default_transaction_read_only = off; ";
    for (const char* sql : {"UPDATE products SET price = 1", "DELETE FROM products", "CREATE TABLE public.mine (i int)",
                            "INSERT INTO decant.synonyms DEFAULT VALUES"})
        expect_refused(reader_, writes + sql);
    for (const char* table :
         {"api_keys", "chat_messages", "chat_sessions", "search_events", "embedding_jobs", "sync_items"})
        expect_refused(reader_, fmt::format("SELECT FROM decant.{} LIMIT 1", table));
}

TEST_F(Roles, OwnerTakesTheSchemaBackAndMakesItAgain) {
    expect_done(owner_.run({"schema", "status"}));
    expect_done(owner_.run({"schema", "down", "--yes"}));
    expect_done(owner_.run({"schema", "up", "--dimension", "8"}));
    expect_done(owner_.run({"schema", "roles", "--apply"}));
    expect_done(app_.run({"worker", "--once"}, embedder()));
    expect_done(reader_.run({"search", "producto"}, embedder()));
}

TEST_F(Roles, AreTheSameAfterASecondTimeAndLoseWhatWasGivenToThemByHand) {
    with_.exec(fmt::format("GRANT ALL ON ALL TABLES IN SCHEMA decant TO {}_reader", database()));
    const Outcome again = with_.decant().run({"schema", "roles", "--apply", "--json"});
    expect_done(again);
    const auto statements = again.json().at("statements").as_array();
    for (const auto& statement : statements) {
        EXPECT_THAT(std::string{statement.as_string()}, testing::Not(HasSubstr("CREATE ROLE")));
        EXPECT_THAT(std::string{statement.as_string()}, testing::Not(HasSubstr("OWNER TO")));
    }
    expect_refused(reader_, "SELECT FROM decant.api_keys");
    expect_done(reader_.run({"search", "producto"}, embedder()));
}

TEST_F(Roles, ArePrintedAsSqlThatPsqlRuns) {
    const Outcome printed = with_.decant().run({"schema", "roles", "--prefix", "other_" + database()});
    expect_done(printed);
    with_.exec(printed.out);
    EXPECT_EQ(with_.value(fmt::format(
                  "SELECT count(*) FROM pg_roles WHERE rolname LIKE 'other\\_{}\\_%' AND NOT rolsuper", database())),
              "3");
}

TEST_F(Roles, RefuseANameThatASuperuserHas) {
    with_.exec(fmt::format("CREATE ROLE super_{}_app SUPERUSER", database()));
    const Outcome refused = with_.decant().run({"schema", "roles", "--prefix", "super_" + database(), "--apply"});
    EXPECT_EQ(refused.exit_code, 75) << refused.told();
    EXPECT_THAT(refused.err, HasSubstr("superuser"));
}

}  // namespace
}  // namespace decant::test
