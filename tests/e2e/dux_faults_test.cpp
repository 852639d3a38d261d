// What the ERP does wrong, one fault a test, and what a sync then says and leaves.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <string>

#include "tests/support/dux_case.hpp"
#include "tests/support/eventually.hpp"

namespace decant::test {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr std::string_view key = "k3y-of-the-shop";

class DuxFaults : public testing::Test {
protected:
    ~DuxFaults() override { EXPECT_THAT(with_.server().violations(), IsEmpty()); }

    Shop& shop() { return with_.shop(); }
    DuxServer& server() { return with_.server(); }

    /// After a first complete sync.
    void start() {
        with_.synced();
        shop().scan();
        expect_catalog();
    }
    /// The database holds what the last complete scan of the shop says.
    void expect_catalog() { EXPECT_EQ(difference(with_.rows(), with_.shop().rows()), ""); }
    json::object report_of(const Outcome& outcome, int exit_code, const char* state) {
        EXPECT_EQ(outcome.exit_code, exit_code) << outcome.told();
        EXPECT_THAT(outcome.told(), Not(HasSubstr(key)));
        const json::object report = outcome.json().as_object();
        EXPECT_EQ(report.at("state"), state) << outcome.told();
        return report;
    }
    void expect_whole_next_time() {
        with_.synced();
        shop().scan();
        expect_catalog();
    }

    DuxCase with_;
};

TEST_F(DuxFaults, S2_APageThatStaysUnusableIsNamedAndThePagesBehindItAreRead) {
    for (const DuxFault fault : {DuxFault::html, DuxFault::cut_json, DuxFault::error_body}) {
        SCOPED_TRACE(static_cast<int>(fault));
        DuxCase with;
        with.server().fail(60, fault, -1);
        const json::object report = report_of(with.sync(), 1, "incomplete");
        ASSERT_THAT(report.at("pages_failed").as_array(), SizeIs(1));
        const auto failed = report.at("pages_failed").at(0).to_number<std::size_t>();
        EXPECT_LE(failed, 60U);
        EXPECT_GT(failed + 50, 60U);
        const auto rows = with.rows();
        EXPECT_TRUE(rows.contains(with.shop().articles().at(0).sku));
        EXPECT_TRUE(rows.contains(with.shop().articles().at(119).sku)) << "the pages behind it";
        EXPECT_FALSE(rows.contains(with.shop().articles().at(60).sku));
    }
}

TEST_F(DuxFaults, S1_NobodyIsTakenForGoneByAScanWithAPageThatFailed) {
    start();
    shop().remove(5);
    with_.show();
    server().fail(0, DuxFault::html, 5);  // a page's tries
    const json::object report = report_of(with_.sync(), 1, "incomplete");
    EXPECT_EQ(report.at("deactivated"), 0);
    expect_catalog();
    expect_whole_next_time();
}

TEST_F(DuxFaults, ARefusedKeyEndsTheRunAndSaysWhatToDo) {
    start();
    for (const DuxFault fault : {DuxFault::unauthorized, DuxFault::forbidden}) {
        server().fail(0, fault);
        const std::size_t asked = server().offsets().size();
        const Outcome outcome = with_.sync();
        const json::object report = report_of(outcome, 77, "failed");
        EXPECT_THAT(outcome.err, HasSubstr("DUX_API_KEY"));
        EXPECT_EQ(report.at("error").at("code"), fault == DuxFault::forbidden ? "forbidden" : "unauthenticated");
        EXPECT_EQ(server().offsets().size(), asked + 1) << "a refused key is not tried again";
        expect_catalog();
    }
}

TEST_F(DuxFaults, AnErpThatIsAwayStopsTheRunAndTheNextGoesOnFromThere) {
    server().fail(110, DuxFault::server_error, 5);  // a page's tries
    const Outcome outcome = with_.sync();
    report_of(outcome, 69, "stopped");
    const std::size_t before = server().offsets().size();
    with_.synced();
    const auto offsets = server().offsets();
    EXPECT_GT(offsets.at(before), 0U) << "the next run begins anew";
    shop().scan();
    expect_catalog();
}

TEST_F(DuxFaults, AnErpThatSaysNothingStopsTheRunWithinItsTimeouts) {
    server().fail(0, DuxFault::silence, -1);
    const Outcome outcome = with_.decant().run(DuxCase::arguments(), with_.environment({"DUX_API_RETRIES=1"}));
    report_of(outcome, 69, "stopped");
    EXPECT_LT(outcome.seconds, 10);
}

TEST_F(DuxFaults, ATooManyRequestsIsWaitedForAsItAsks) {
    for (const DuxHint hint : {DuxHint::seconds, DuxHint::date, DuxHint::body}) {
        server().refuse(hint, 1s);
        const auto begun = std::chrono::steady_clock::now();
        with_.synced();
        EXPECT_GE(std::chrono::steady_clock::now() - begun, 1s);
    }
}

TEST_F(DuxFaults, AWaitOfMoreThanTenMinutesStopsTheRunThatSaysUntilWhen) {
    for (const DuxHint hint : {DuxHint::seconds, DuxHint::date, DuxHint::body}) {
        DuxCase with;
        with.server().refuse(hint, 20min);
        const Outcome outcome = with.sync();
        report_of(outcome, 69, "stopped");
        EXPECT_THAT(outcome.err, testing::ContainsRegex("left alone until [0-9-]+ [0-9:]+ UTC"));
        EXPECT_THAT(with.server().violations(), IsEmpty());
        EXPECT_LT(outcome.seconds, 60);
    }
}

TEST_F(DuxFaults, ATooManyRequestsWithoutAHintIsWaitedForLongerEachTime) {
    server().refuse(DuxHint::none, 0s, 3);
    with_.synced();
    expect_whole_next_time();
}

TEST(DuxPace, OneBudgetHoldsForAllRequests) {
    DuxCase with{{.server = {.pace = 400ms}}};
    const auto begun = std::chrono::steady_clock::now();
    with.synced();
    const std::size_t requests = with.server().requests();
    EXPECT_GE(requests, 3U);
    EXPECT_GE(std::chrono::steady_clock::now() - begun, 400ms * (requests - 1) * 3 / 4);
    EXPECT_THAT(with.server().violations(), IsEmpty());
}

TEST(DuxPace, TheNextRunKeepsToThePaceOfTheOneBefore) {
    DuxCase with{{.articles = 20, .server = {.pace = 1s}}};
    with.synced();
    with.synced();
    EXPECT_THAT(with.server().violations(), IsEmpty());
}

TEST(DuxPace, ARunAfterARefusedKeyKeepsToThePace) {
    DuxCase with{{.articles = 20, .server = {.pace = 2s}}};
    with.server().fail(0, DuxFault::unauthorized);
    EXPECT_EQ(with.sync().exit_code, 77);
    with.synced();
    EXPECT_THAT(with.server().violations(), IsEmpty());
}

TEST(DuxPace, ADryRunKeepsToThePaceAndIsKeptToItToo) {
    DuxCase with{{.articles = 20, .server = {.pace = 2s}}};
    with.synced();
    with.sync({"--dry-run"});
    with.synced();
    EXPECT_THAT(with.server().violations(), IsEmpty());
}

TEST_F(DuxFaults, S1_ACatalogThatShrinksWhileItIsReadLosesNothing) {
    start();
    const std::string moved_up = shop().articles().at(55).sku;
    server().before(60, [](json::array& items) { items.erase(items.begin(), items.begin() + 8); });
    for (int i = 0; i < 8; ++i)
        shop().forget(shop().articles().front().sku);
    with_.synced();
    shop().scan();
    expect_catalog();
    EXPECT_TRUE(with_.rows().at(moved_up).ends_with("|t"));
}

TEST_F(DuxFaults, S1_ACatalogThatChangesInEveryPassDeactivatesNobody) {
    start();
    shop().remove(6);
    with_.show();
    int more = 0;
    // Each page of each pass finds one item more in front.
    server().before_all([&](json::array& items) {
        json::object extra = items.front().as_object();
        extra["cod_item"] = fmt::format("EXTRA-{}", ++more);
        items.insert(items.begin(), extra);
    });
    const json::object report = with_.sync().json().as_object();
    EXPECT_EQ(report.at("is_consistent"), false);
    EXPECT_EQ(report.at("passes"), 3);
    EXPECT_EQ(report.at("deactivated"), 0);
    for (const auto& [sku, row] : shop().rows())
        EXPECT_EQ(with_.rows().at(sku), row);
}

TEST_F(DuxFaults, AMassVanishingIsWithheldAndSaid) {
    start();
    shop().remove(60);
    with_.show();
    const Outcome outcome = with_.sync();
    const json::object report = report_of(outcome, 1, "complete");
    EXPECT_EQ(report.at("deactivated"), 0);
    EXPECT_EQ(report.at("withheld"), 60);
    shop().scan();  // which knows of the floor too
    expect_catalog();
    const Outcome allowed =
        with_.decant().run(DuxCase::arguments(), with_.environment({"DUX_MAX_VANISHED_PERCENT=60"}));
    EXPECT_EQ(report_of(allowed, 0, "complete").at("deactivated"), 60);
    EXPECT_EQ(with_.value("SELECT count(*) FROM products WHERE active"), std::to_string(shop().active() - 60));
}

TEST_F(DuxFaults, AnEmptyCatalogDeactivatesNobody) {
    start();
    server().set_items({});
    const json::object report = with_.sync().json().as_object();
    EXPECT_EQ(report.at("deactivated"), 0);
    expect_catalog();
}

TEST_F(DuxFaults, AnArticleThatComesBackIsActiveAgain) {
    start();
    const auto items = server().items();
    const std::string gone = shop().articles().at(7).sku;
    auto fewer = items;
    fewer.erase(fewer.begin() + 7);
    server().set_items(fewer);
    EXPECT_EQ(with_.synced().at("deactivated"), 1);
    EXPECT_EQ(with_.value("SELECT active FROM products WHERE sku = '" + gone + "'"), "f");
    server().set_items(items);
    with_.synced();
    expect_catalog();
}

TEST_F(DuxFaults, S2_WhatIsNoItemIsListedAndTheOthersOfItsPageAreRead) {
    auto items = shop().items();
    const json::array junk{json::value("no es un item"),
                           json::value(nullptr),
                           json::value(json::array{1, 2}),
                           json::value(json::object{}),
                           json::value({{"cod_item", nullptr}}),
                           json::value({{"cod_item", "   "}, {"item", "x"}}),
                           json::value(17),
                           json::value({{"cod_item", std::string(60, 'K')}, {"item", "x"}})};
    for (const json::value& one : junk)
        items.insert(items.begin() + 30, one);
    server().set_items(items);
    const json::object report = with_.sync().json().as_object();
    EXPECT_EQ(report.at("quarantined"), junk.size()) << report;
    EXPECT_EQ(report.at("created"), 120);
    shop().scan();
    expect_catalog();
    const json::value listed = with_.decant().run({"sync", "quarantine", "--json"}).json();
    EXPECT_THAT(json::serialize(listed), AllOf(HasSubstr("no es un item"), HasSubstr("KKKK")));
}

TEST_F(DuxFaults, S2_AnItemWithNestedThingsOfOtherTypesCostsItselfAlone) {
    auto items = shop().items();
    const std::vector<std::pair<const char*, json::value>> changes{{"rubro", "Bebidas"},
                                                                   {"rubro", json::array{1}},
                                                                   {"marca", 5},
                                                                   {"precios", "10.00"},
                                                                   {"precios", json::array{nullptr, 3}},
                                                                   {"stock", 7},
                                                                   {"stock", json::array{"N/D"}},
                                                                   {"codigos_barra", 12},
                                                                   {"sub_rubro", true},
                                                                   {"item", json::object{}},
                                                                   {"imagen_url", false},
                                                                   {"costo", json::array{}}};
    start();
    const auto before = with_.rows();
    for (std::size_t i = 0; i < changes.size(); ++i)
        items.at(i * 3).as_object()[changes[i].first] = changes[i].second;
    server().set_items(items);
    EXPECT_EQ(report_of(with_.sync(), 1, "complete").at("quarantined"), changes.size());
    EXPECT_EQ(difference(with_.rows(), before), "");
    const std::string listed = json::serialize(with_.decant().run({"sync", "quarantine", "--json"}).json());
    for (const char* reason :
         {"rubro is no object", "marca is no object", "precios is no list", "a row of precios is no object",
          "a row of stock is no object", "sub_rubro is no object"})
        EXPECT_THAT(listed, HasSubstr(reason));
}

TEST_F(DuxFaults, S2_AnIdOfARubroThatFitsNoColumnCostsItsItemAlone) {
    auto items = shop().items();
    for (const std::size_t length : {38U, 101U})
        items.at(length).as_object()["rubro"] = {{"id_rubro", std::string(length, '9')}, {"rubro", "Rubro 1"}};
    server().set_items(items);
    const json::object report = report_of(with_.sync(), 1, "complete");
    EXPECT_EQ(report.at("quarantined"), 2);
    EXPECT_EQ(report.at("created"), 118);
    EXPECT_THAT(with_.decant().run({"sync", "quarantine"}).out, HasSubstr("id_rubro has more than 37 characters"));
}

TEST_F(DuxFaults, S1_NobodyIsTakenForGoneByAScanWithAnItemThatMayBeAnybody) {
    start();
    auto items = shop().items();
    items.at(7).as_object()["cod_item"] = json::object{};
    server().set_items(items);
    const json::object report = report_of(with_.sync(), 1, "complete");
    EXPECT_EQ(report.at("without_sku"), 1);
    EXPECT_EQ(report.at("withheld"), 1);
    EXPECT_EQ(report.at("deactivated"), 0);
    expect_catalog();
}

TEST_F(DuxFaults, S1_NobodyIsTakenForGoneByAScanWithASkuThatIsNoUnicode) {
    start();
    const std::string sku = shop().articles().at(7).sku;
    server().replace("\"" + sku, "\"\xe9" + sku);
    const json::object report = report_of(with_.sync(), 1, "complete");
    EXPECT_EQ(report.at("without_sku"), 1);
    EXPECT_EQ(report.at("deactivated"), 0);
    expect_catalog();
}

/// What boost::json cannot write, so it is put into the answer's text.
TEST_F(DuxFaults, S2_AnItemWhoseTextIsNoUnicodeCostsItselfAlone) {
    const std::vector<std::pair<std::string, std::string>> texts{
        {"bytes of Latin-1", "Almac\xe9n"}, {"half a surrogate pair", "medio \\ud83d par"}, {"U+0000", "cero \\u0000"}};
    for (const auto& [what, text] : texts) {
        SCOPED_TRACE(what);
        DuxCase with;
        with.server().replace("Artículo 7 de prueba", text);
        const Outcome outcome = with.sync();
        const json::object report = report_of(outcome, 1, "complete");
        EXPECT_EQ(report.at("quarantined"), 1) << outcome.told();
        EXPECT_EQ(report.at("created"), 119);
    }
}

TEST_F(DuxFaults, S3_ANumberThatNoDoubleHoldsCostsItsItemAlone) {
    DuxCase with{{.server = {.version = 2}}};
    auto items = with.shop().items();
    items.at(5).as_object()["costo"] = "123456.78";
    with.server().set_items(items);
    with.server().replace("123456.78", "1e999");
    const json::object report = report_of(with.sync(), 1, "complete");
    EXPECT_EQ(report.at("quarantined"), 1);
    EXPECT_EQ(report.at("created"), 119);
}

TEST_F(DuxFaults, WhatIsTheErpsIsPutRightWhereSomebodyElseChangedIt) {
    start();
    with_.exec("UPDATE products SET price = price + 1, name = 'otro' WHERE id IN (SELECT id FROM products LIMIT 7)");
    EXPECT_EQ(with_.synced().at("updated"), 7);
    expect_catalog();
}

TEST_F(DuxFaults, ARunThatEndsByAnErrorOfOursHasFailedAndSaysWhy) {
    const Outcome outcome =
        with_.decant().run(DuxCase::arguments(), with_.environment({"DECANT_FAILPOINT=sync.page_written:1:error"}));
    EXPECT_EQ(outcome.exit_code, 70) << outcome.told();
    EXPECT_EQ(with_.value("SELECT concat_ws(' ', state, report #>> '{error,code}', ended_at IS NOT NULL) FROM "
                          "decant.sync_runs"),
              "failed internal t");
    expect_whole_next_time();
}

TEST_F(DuxFaults, ARunThatADeadlockEndsIsGoneOnWith) {
    const std::string late = shop().articles().at(110).sku;
    with_.exec(
        "CREATE FUNCTION deadlock() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'deadlock' USING ERRCODE = "
        "'deadlock_detected'; END $$; CREATE TRIGGER deadlock BEFORE INSERT ON products FOR EACH ROW WHEN (NEW.sku = "
        "'" +
        late + "') EXECUTE FUNCTION deadlock()");
    server().watch([&](std::size_t offset) {
        if (offset > 60) eventually(10s, [&] { return with_.rows().size() >= 50; });
    });
    EXPECT_EQ(with_.sync().exit_code, 75);
    EXPECT_EQ(with_.value("SELECT state || ' ' || (report #>> '{error,code}') FROM decant.sync_runs"),
              "stopped timed_out");
    with_.exec("DROP TRIGGER deadlock ON products");
    const std::size_t asked = server().offsets().size();
    with_.synced();
    EXPECT_GT(server().offsets().at(asked), 0U);
    shop().scan();
    expect_catalog();
}

TEST_F(DuxFaults, ARunThatIsKilledIsInterruptedAndSaysSo) {
    with_.decant().run(DuxCase::arguments(), with_.environment({"DECANT_FAILPOINT=sync.page_written:1"}));
    const auto state = [&] {
        return with_.decant().run({"sync", "status", "--json"}).json().at(0).at("state").as_string();
    };
    EXPECT_TRUE(eventually(10s, [&] { return state() == "interrupted"; })) << state();
    expect_whole_next_time();
    EXPECT_EQ(state(), "complete");
}

TEST_F(DuxFaults, AnInterruptKeepsTheCheckpoint) {
    std::atomic<pid_t> pid{0};
    server().before(110, [&](json::array&) {
        if (eventually(5s, [&] { return pid != 0; })) ::kill(pid, SIGTERM);
    });
    RunningDecant running = with_.start_sync();
    pid = running.pid();
    const Outcome outcome = running.wait();
    EXPECT_EQ(outcome.exit_code, 128 + SIGTERM) << outcome.told();
    const std::size_t asked = server().offsets().size();
    with_.synced();
    EXPECT_GT(server().offsets().at(asked), 0U);
    shop().scan();
    expect_catalog();
}

TEST_F(DuxFaults, TwoRubrosOfOneNameDoNotStopTheSync) {
    shop().rename_rubro(1, "Rubro 0");
    with_.show();
    with_.synced();
    shop().scan();
    expect_catalog();
    shop().rename_rubro(0, "Rubro 2");
    shop().rename_rubro(2, "Rubro 0");  // they change names, beside a third of the same one
    with_.show();
    with_.synced();
    shop().scan();
    expect_catalog();
}

TEST_F(DuxFaults, CategoriesAndBrandsThatWereThereBeforeAreUsed) {
    with_.exec(
        "INSERT INTO categories (name, display_name) VALUES ('Rubro 1', 'Rubro 1'), ('rubro 2', 'Rubro 2'), "
        "('Sin categoría', 'Sin categoría'); INSERT INTO brands (name) VALUES ('Marca 1')");
    with_.synced();
    shop().scan();
    expect_catalog();
}

TEST_F(DuxFaults, ADryRunWritesNoProduct) {
    const Outcome outcome = with_.sync({"--dry-run"});
    EXPECT_EQ(outcome.json().at("created"), 120) << outcome.told();
    EXPECT_THAT(with_.rows(), IsEmpty());
    start();
    shop().reprice(100);
    shop().remove(4);
    with_.show();
    const json::object report = with_.sync({"--dry-run"}).json().as_object();
    EXPECT_GT(report.at("updated").as_int64(), 50);
    expect_catalog();
}

TEST_F(DuxFaults, ProductsThatTheErpNeverHadStayAsTheyAre) {
    with_.exec(
        "INSERT INTO categories (name, display_name) VALUES ('propia', 'Propia');"
        "INSERT INTO products (name, specs, price, stock, sku, category_id) SELECT 'Propio ' || i, 'specs', 10, 1, "
        "'MIO-' || i, c.id FROM generate_series(1, 10) i, categories c WHERE c.name = 'propia';"
        "INSERT INTO products (name, specs, price, stock, category_id) SELECT 'Sin sku', 'specs', 10, 1, c.id FROM "
        "categories c WHERE c.name = 'propia'");
    with_.synced();
    with_.synced();
    EXPECT_EQ(with_.value("SELECT count(*) FROM products WHERE active AND (sku IS NULL OR sku LIKE 'MIO-%')"), "11");
}

TEST_F(DuxFaults, WhatIsNotTheErpsStaysWhenAProductIsUpdated) {
    start();
    const std::string sku = shop().articles().at(9).sku;
    with_.exec(fmt::format(
        "UPDATE products SET description = 'larga', specs = 'x', features = '[\"a\"]', on_sale = true WHERE sku = '{}'",
        sku));
    shop().article(9).price_cents += 5;
    with_.show();
    expect_whole_next_time();
    EXPECT_EQ(with_.value(fmt::format(
                  "SELECT concat_ws(' ', description, specs, features, on_sale) FROM products WHERE sku = '{}'", sku)),
              "larga x [\"a\"] t");
}

TEST_F(DuxFaults, TheReportCountsStockThatIsBelowNoneOrInFractions) {
    const json::object report = with_.synced();
    EXPECT_EQ(report.at("stock_negative"), shop().odd_stock().negative);
    EXPECT_EQ(report.at("stock_rounded"), shop().odd_stock().fractional);
    EXPECT_GT(shop().odd_stock().negative, 0U);
}

TEST_F(DuxFaults, AnUnchangedCatalogWritesNoProduct) {
    start();
    with_.exec(
        "CREATE TABLE written (sku text);"
        "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO written VALUES "
        "(NEW.sku); RETURN NEW; END $$;"
        "CREATE TRIGGER note BEFORE UPDATE OR INSERT ON products FOR EACH ROW EXECUTE FUNCTION note()");
    EXPECT_EQ(with_.synced().at("unchanged"), 120);
    EXPECT_EQ(with_.value("SELECT count(*) FROM written"), "0");
}

TEST(DuxIncremental, VersionTwoAsksForWhatChangedAndDeactivatesNobody) {
    DuxCase with{{.server = {.version = 2}}};
    with.synced();
    with.shop().scan();
    const std::string today = with.value("SELECT to_char(timezone('UTC', now()), 'YYYY-MM-DD')");
    with.shop().reprice(10);
    const auto before = with.server().queries().size();
    with.server().set_items(with.shop().items(), today);
    const Outcome outcome = with.decant().run({"sync", "dux", "--once", "--json"}, with.environment());
    EXPECT_EQ(outcome.exit_code, 0) << outcome.told();
    EXPECT_EQ(outcome.json().at("scope"), "incremental");
    EXPECT_LE(outcome.json().at("read").as_int64(), 10);
    for (std::size_t i = before; i < with.server().queries().size(); ++i)
        EXPECT_THAT(with.server().queries()[i], HasSubstr("fecha_ult_actualizacion="));
    with.shop().scan();
    EXPECT_EQ(difference(with.rows(), with.shop().rows()), "");
    EXPECT_THAT(with.server().violations(), IsEmpty());
}

TEST(DuxHistory, NamesEachRunWithItsState) {
    DuxCase with;
    with.synced();
    with.server().fail(0, DuxFault::unauthorized);
    with.sync();
    const std::string history = json::serialize(with.decant().run({"sync", "history", "--json"}).json());
    EXPECT_THAT(history, AllOf(HasSubstr("\"complete\""), HasSubstr("\"failed\"")));
    const Outcome status = with.decant().run({"sync", "status", "--json"});
    EXPECT_EQ(status.exit_code, 0) << status.told();
    EXPECT_THAT(json::serialize(status.json()), HasSubstr("failed"));
}

}  // namespace
}  // namespace decant::test
