#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <limits>

#include "tests/support/catalog_case.hpp"

namespace decant::test {
namespace {

using testing::HasSubstr;

std::uint64_t count(const boost::json::object& report, const char* name) {
    return report.at(name).to_number<std::uint64_t>();
}

void expect_all_products_accounted_for(const boost::json::object& report) {
    EXPECT_EQ(count(report, "migrated") + count(report, "skipped") + count(report, "errors"), count(report, "total"));
    EXPECT_EQ(count(report, "already_embedded") + count(report, "waiting"), count(report, "skipped"));
}

std::string vector_text(const std::vector<float>& vector) {
    std::string out = "[";
    for (const float value : vector)
        out += (out.size() > 1 ? "," : "") + fmt::format("{}", value);
    return out + "]";
}

TEST(Migrate, PutsTheVectorOfEveryRecordIntoItsProductAndLeavesTheOthersEmpty) {
    CatalogCase with;
    with.put_products(0, 30);
    with.put_records(0, 20);
    const boost::json::object report = with.migrated();
    expect_all_products_accounted_for(report);
    EXPECT_EQ(count(report, "migrated"), 20U);
    EXPECT_EQ(count(report, "waiting"), 10U);
    EXPECT_EQ(count(report, "compared"), 20U);
    EXPECT_EQ(with.value("SELECT count(*) FROM products WHERE embedding IS NULL"), "10");
    for (const std::uint64_t number : {0U, 7U, 19U}) {
        EXPECT_EQ(with.value(fmt::format("SELECT embedding = '{}' FROM products WHERE sku = 'sku-{}'",
                                         vector_text(CatalogCase::record(number).vector), number)),
                  "t");
    }
}

TEST(Migrate, WritesModelAndTimeWithTheVectorAndNothingElse) {
    CatalogCase with;
    with.put_products(0, 1);
    with.put_records(0, 1);
    const std::string others =
        "SELECT md5(row(id, name, price, stock, updated_at, embedding_version)::text) FROM products";
    const std::string before = with.value(others);
    const Outcome outcome =
        with.decant().run(with.arguments(), {"DECANT_EMBEDDER=none", "OLLAMA_API_MODEL_EMBEDDING=nomic-embed-text"});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.told();
    EXPECT_EQ(with.value(others), before);
    EXPECT_EQ(
        with.value("SELECT embedding_model || ' ' || (now() AT TIME ZONE 'UTC' - last_embedding_update < '1 minute') "
                   "FROM products"),
        "nomic-embed-text true");
}

TEST(Migrate, FindsTheProductByProductIdThenSkuThenTheRecordsOwnId) {
    CatalogCase with;
    with.put_products(0, 4);
    const auto id_of = [&](int number) {
        return with.value(fmt::format("SELECT id FROM products WHERE sku = 'sku-{}'", number));
    };
    SourceRecord by_product_id = CatalogCase::record(0);
    by_product_id.document.reset();
    by_product_id.metadata = {{"product_id", id_of(0)}, {"sku", std::string{"sku-1"}}};
    SourceRecord by_sku = CatalogCase::record(1);
    by_sku.document.reset();
    by_sku.metadata = {{"product_id", std::string{"no uuid"}}, {"sku", std::string{"sku-1"}}};
    SourceRecord by_id = CatalogCase::record(2);
    by_id.id = id_of(2);
    by_id.document.reset();
    by_id.metadata = {};
    SourceRecord by_id_as_sku = CatalogCase::record(3);
    by_id_as_sku.id = "sku-3";
    by_id_as_sku.document = "Producto 3, nuevo";
    by_id_as_sku.metadata = {};
    with.source().put({by_product_id, by_sku, by_id, by_id_as_sku});
    with.migrated();
    for (int number = 0; number < 4; ++number) {
        EXPECT_EQ(with.value(fmt::format("SELECT embedding = '{}' FROM products WHERE sku = 'sku-{}'",
                                         vector_text(CatalogCase::record(static_cast<std::uint64_t>(number)).vector),
                                         number)),
                  "t")
            << number;
    }
}

TEST(Migrate, TakesNoVectorOfATextThatIsNotTheProductsUnlessItIsToldTo) {
    CatalogCase with;
    with.put_products(0, 3);
    with.put_records(0, 3);
    with.exec("UPDATE products SET name = 'Otro' WHERE sku = 'sku-1'");
    const boost::json::object report = with.migrated();
    EXPECT_EQ(count(report, "migrated"), 2U);
    EXPECT_EQ(count(report, "stale"), 1U);
    EXPECT_EQ(report.at("products").as_array().at(0).at("name").as_string(), "Otro");
    EXPECT_EQ(count(with.migrated({"--reuse", "always"}), "migrated"), 1U);
    EXPECT_EQ(count(with.migrated({"--reuse", "never", "--force"}), "migrated"), 0U);
}

TEST(Migrate, TakesNoVectorThatASearchCouldNotFindOrThatIsOfTwoMinds) {
    CatalogCase with;
    with.put_products(0, 5);
    with.put_records(0, 5);
    SourceRecord zero = CatalogCase::record(1);
    std::ranges::fill(zero.vector, 0.0F);
    SourceRecord infinite = CatalogCase::record(2);
    infinite.vector[3] = std::numeric_limits<float>::infinity();
    SourceRecord second = CatalogCase::record(3);
    second.id = "another of sku-3";
    second.vector[0] += 1;
    SourceRecord same = CatalogCase::record(4);
    same.id = "the same as of sku-4";
    with.source().put({zero, infinite, second, same});
    const boost::json::object report = with.migrated();
    EXPECT_EQ(count(report, "migrated"), 2U);
    EXPECT_EQ(count(report, "waiting"), 3U);
    EXPECT_EQ(report.at("products").as_array().size(), 3U);
    EXPECT_EQ(with.value("SELECT string_agg(sku, ' ' ORDER BY sku) FROM products WHERE embedding IS NOT NULL"),
              "sku-0 sku-4");
}

TEST(Migrate, LeavesVectorsThatAreThereAloneAndWritesThemWithForce) {
    CatalogCase with;
    with.put_products(0, 10);
    with.put_records(0, 10);
    with.exec("UPDATE products SET embedding = '[1,1,1,1,1,1,1,1]', embedding_model = 'mine' WHERE sku = 'sku-3'");
    const boost::json::object report = with.migrated();
    EXPECT_EQ(count(report, "migrated"), 9U);
    EXPECT_EQ(count(report, "already_embedded"), 1U);
    EXPECT_EQ(with.value("SELECT embedding_model FROM products WHERE sku = 'sku-3'"), "mine");
    EXPECT_EQ(count(with.migrated({"--force"}), "migrated"), 10U);
    EXPECT_NE(with.value("SELECT embedding_model FROM products WHERE sku = 'sku-3'"), "mine");
}

TEST(Migrate, MakesTheProductsThatOnlyChromaHas) {
    CatalogCase with;
    with.put_products(0, 2);
    with.put_records(0, 2);
    SourceRecord whole = CatalogCase::record(2);
    whole.metadata = {{"sku", std::string{"sku-2"}},
                      {"name", std::string{"Notebook"}},
                      {"price", 1499.5},
                      {"stock", std::int64_t{7}},
                      {"description", std::string{"Con Ñ"}},
                      {"specs", std::string{"16 GB"}},
                      {"brand_name", std::string{"ASUS"}},
                      {"category_name", std::string{"laptops"}},
                      {"category_display_name", std::string{"Notebooks"}},
                      {"active", true}};
    SourceRecord no_price = CatalogCase::record(3);
    no_price.metadata = {{"sku", std::string{"sku-3"}}, {"name", std::string{"?"}}};
    with.source().put({whole, no_price});
    EXPECT_EQ(count(with.migrated({"--create-products", "--dry-run"}), "migrated"), 0U);
    EXPECT_EQ(with.value("SELECT count(*) FROM products"), "2");
    const Outcome outcome = with.migrate({"--create-products"});
    EXPECT_EQ(outcome.exit_code, 1) << "a record was refused";
    const boost::json::object report = outcome.json().as_object();
    EXPECT_EQ(count(report, "not_created"), 1U);
    EXPECT_EQ(count(report, "created"), 1U);
    EXPECT_EQ(count(report, "migrated"), 3U);
    EXPECT_EQ(count(report, "unmatched_records"), 1U);
    EXPECT_EQ(with.value("SELECT concat_ws('|', p.name, price, stock, p.description, specs, b.name, c.name, "
                         "c.display_name, p.active) FROM products p JOIN brands b ON b.id = brand_id JOIN categories c "
                         "ON c.id = category_id WHERE sku = 'sku-2'"),
              "Notebook|1499.5|7|Con Ñ|16 GB|ASUS|laptops|Notebooks|t");
}

TEST(Migrate, CountsActiveProductsOnly) {
    CatalogCase with;
    with.put_products(0, 10);
    with.put_records(0, 10);
    with.exec("UPDATE products SET active = false WHERE sku = 'sku-2'");
    const boost::json::object report = with.migrated();
    EXPECT_EQ(count(report, "total"), 9U);
    EXPECT_EQ(count(report, "migrated"), 9U);
    EXPECT_EQ(with.value("SELECT embedding IS NULL FROM products WHERE sku = 'sku-2'"), "t");
}

TEST(Migrate, ADryRunChangesNothing) {
    CatalogCase with;
    with.put_products(0, 10);
    with.put_records(0, 5);
    EXPECT_EQ(count(with.migrated({"--dry-run"}), "planned"), 5U);
    EXPECT_EQ(with.embeddings(), "");
    EXPECT_EQ(with.value("SELECT to_regclass('decant.runs') IS NULL OR (xpath('/row/c/text()', query_to_xml("
                         "'SELECT count(*) AS c FROM decant.runs', false, true, '')))[1]::text = '0'"),
              "t");
}

TEST(Migrate, AProductThatTheDatabaseRefusesCostsNoOther) {
    CatalogCase with;
    with.put_products(0, 40);
    with.put_records(0, 40);
    with.exec(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF NEW.sku = ''sku-17'' THEN RAISE "
        "''not this one''; END IF; RETURN NEW; END'");
    with.exec("CREATE TRIGGER refuse BEFORE UPDATE ON products FOR EACH ROW EXECUTE FUNCTION refuse()");
    const Outcome outcome = with.migrate({"--batch-size", "20"});
    EXPECT_EQ(outcome.exit_code, 1) << outcome.told();
    const boost::json::object report = outcome.json().as_object();
    expect_all_products_accounted_for(report);
    EXPECT_EQ(count(report, "migrated"), 39U);
    EXPECT_EQ(count(report, "errors"), 1U);
    EXPECT_THAT(std::string{report.at("products").as_array().at(0).at("reason").as_string()},
                HasSubstr("not this one"));
}

TEST(Migrate, AProductWhoseTextChangesMeanwhileKeepsNoVectorOfTheOldText) {
    CatalogCase with;
    with.put_products(0, 10);
    with.put_records(0, 10);
    // The write of the first batch changes a product of the second.
    with.exec(
        "CREATE FUNCTION rename() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN UPDATE products SET name = ''Otro'' WHERE "
        "sku = ''sku-9'' AND name <> ''Otro''; RETURN NULL; END'");
    with.exec(
        "CREATE TRIGGER rename AFTER UPDATE OF embedding ON products FOR EACH ROW WHEN (NEW.sku <> 'sku-9') EXECUTE "
        "FUNCTION rename()");
    const boost::json::object report = with.migrated({"--batch-size", "1", "--connections", "1"});
    expect_all_products_accounted_for(report);
    EXPECT_EQ(count(report, "migrated"), 9U);
    EXPECT_EQ(with.value("SELECT embedding IS NULL FROM products WHERE sku = 'sku-9'"), "t");
}

TEST(Migrate, ProductsThatAreRemovedWhileItRunsAreNotMissing) {
    CatalogCase with;
    with.put_products(0, 10);
    with.put_records(0, 10);
    with.exec(
        "CREATE FUNCTION remove() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN DELETE FROM products WHERE sku = "
        "''sku-0''; "
        "RETURN NULL; END'");
    with.exec(
        "CREATE TRIGGER remove AFTER UPDATE OF embedding ON products FOR EACH ROW WHEN (NEW.sku = 'sku-9') EXECUTE "
        "FUNCTION remove()");
    const boost::json::object report = with.migrated({"--batch-size", "1", "--connections", "1"});
    EXPECT_EQ(count(report, "gone"), 1U);
    EXPECT_EQ(count(report, "after"), 9U);
    EXPECT_EQ(count(report, "expected"), 9U);
}

TEST(Migrate, AVectorThatIsGoneThoughNobodyChangedItsProductIsALoss) {
    CatalogCase with;
    with.put_products(0, 10);
    with.put_records(0, 10);
    with.exec(
        "CREATE FUNCTION empty() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN UPDATE products SET embedding = NULL WHERE "
        "sku = ''sku-0''; RETURN NULL; END'");
    with.exec(
        "CREATE TRIGGER empty AFTER UPDATE OF embedding ON products FOR EACH ROW WHEN (NEW.sku = 'sku-9') EXECUTE "
        "FUNCTION empty()");
    const Outcome outcome = with.migrate({"--batch-size", "1", "--connections", "1"});
    EXPECT_EQ(outcome.exit_code, 1) << outcome.told();
    EXPECT_EQ(count(outcome.json().as_object(), "lost"), 1U);
    EXPECT_EQ(count(outcome.json().as_object(), "expected"), 10U);
}

TEST(Migrate, SaysSoAndExitsWith1WhenAVectorInTheTableIsNotChromas) {
    CatalogCase with;
    with.put_products(0, 20);
    with.put_records(0, 20);
    with.exec(
        "CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF NEW.sku = ''sku-4'' THEN NEW.embedding "
        ":= "
        "''[9,9,9,9,9,9,9,9]''; END IF; RETURN NEW; END'");
    with.exec("CREATE TRIGGER spoil BEFORE UPDATE ON products FOR EACH ROW EXECUTE FUNCTION spoil()");
    const Outcome outcome = with.migrate();
    EXPECT_EQ(outcome.exit_code, 1) << outcome.told();
    EXPECT_EQ(count(outcome.json().as_object(), "differences"), 1U);
    EXPECT_EQ(with.value("SELECT state FROM decant.runs"), "differs");
}

TEST(Migrate, MakesTheIndexAnewWhenMostOfItIsNewAndLeavesItValid) {
    CatalogCase with;
    with.put_products(0, 600);
    with.put_records(0, 600);
    const std::string index = "SELECT 'idx_products_embedding_hnsw'::regclass::oid";
    const std::string before = with.value(index);
    with.migrated();
    EXPECT_NE(with.value(index), before);
    EXPECT_EQ(with.value("SELECT indisvalid FROM pg_index WHERE indexrelid = 'idx_products_embedding_hnsw'::regclass"),
              "t");
    const std::string after = with.value(index);
    with.put_products(600, 10);
    with.put_records(600, 10);
    with.migrated();
    EXPECT_EQ(with.value(index), after);
}

TEST(Migrate, MakesAnIndexThatAnInterruptedBuildLeftInvalid) {
    CatalogCase with;
    with.put_products(0, 20);
    with.put_records(0, 20);
    with.exec("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'idx_products_embedding_hnsw'::regclass");
    with.migrated();
    EXPECT_EQ(with.value("SELECT indisvalid FROM pg_index WHERE indexrelid = 'idx_products_embedding_hnsw'::regclass"),
              "t");
}

TEST(Migrate, M3_ASecondOneIsRefusedAtOnceNamingTheFirst) {
    CatalogCase with;
    with.put_products(0, 100);
    with.put_records(0, 100);
    pg::Connection blocker = with.open();
    const pg::Transaction tx{blocker};
    blocker.exec("LOCK TABLE products IN SHARE MODE");
    RunningDecant first = with.decant().start(with.arguments());
    pg::Connection watcher = with.open();
    while (watcher.exec("SELECT to_regclass('decant.runs') IS NOT NULL").text(0, 0) != "t" ||
           watcher.exec("SELECT count(*) FROM decant.runs WHERE state = 'running'").text(0, 0) != "1") {
    }
    const Outcome second = with.migrate();
    EXPECT_EQ(second.exit_code, 75) << second.told();
    EXPECT_THAT(second.err, HasSubstr(fmt::format("pid {}", first.pid())));
    first.signal(SIGKILL);
    first.wait();
}

TEST(Migrate, GoesOnAfterASignalWithWhatIsMissing) {
    CatalogCase with;
    with.put_products(0, 200);
    with.put_records(0, 200);
    const Outcome stopped = with.decant().run(with.arguments({"--batch-size", "10", "--connections", "1"}),
                                              {"DECANT_FAILPOINT=migrate.batch_committed:5:interrupt"});
    EXPECT_EQ(stopped.exit_code, 130) << stopped.told();
    EXPECT_THAT(stopped.err, HasSubstr("decant migrate --from"));
    const std::uint64_t left = std::stoull(with.value("SELECT count(*) FROM products WHERE embedding IS NULL"));
    EXPECT_GT(left, 0U);
    EXPECT_EQ(count(with.migrated(), "migrated"), left);
}

TEST(Migrate, AForcedOneThatWasKilledGoesOnWithTheProductsItHadNotReached) {
    CatalogCase with;
    with.put_products(0, 100);
    with.put_records(0, 100);
    with.migrated();
    const Outcome killed = with.decant().run(with.arguments({"--force", "--batch-size", "10", "--connections", "1"}),
                                             {"DECANT_FAILPOINT=migrate.batch_committed:4"});
    EXPECT_EQ(killed.exit_code, 128 + SIGKILL);
    const boost::json::object report = with.migrated({"--force"});
    EXPECT_EQ(count(report, "migrated"), 60U);
    EXPECT_EQ(count(report, "compared"), 100U);
}

}  // namespace
}  // namespace decant::test
