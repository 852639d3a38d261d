// The stand-in for DUX refuses what the ERP would: otherwise tests that pass by it would say little.

#include "tests/support/dux_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "net/http_client.hpp"

namespace decant::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

boost::json::array numbered(int count) {
    boost::json::array items;
    for (int i = 0; i < count; ++i)
        items.push_back({{"cod_item", "A" + std::to_string(i)},
                         {"costo", "10.50"},
                         {"habilitado", i % 2 == 0},
                         {"rubro", {{"id_rubro", i % 3}, {"rubro", "Rubro " + std::to_string(i % 3)}}}});
    return items;
}

class Shop {
public:
    explicit Shop(DuxServer::Options options = {}) : server(std::move(options)) { server.set_items(numbered(120)); }

    net::HttpResponse get(const std::string& path, std::vector<std::string> headers) const {
        net::HttpClient client{{.name = "DUX",
                                .url = net::parse_url(server.url(), "DUX"),
                                .headers = std::move(headers),
                                .idle_timeout = 200ms,
                                .total_timeout = 400ms}};
        return client.send({.path = path, .tries = 1});
    }
    net::HttpResponse get(const std::string& path) const {
        return get(path, {"authorization: k3y-of-the-shop", "accept: application/json"});
    }
    net::HttpResponse get2(const std::string& path) const {
        return get(path, {"authorization: Bearer k3y-of-the-shop", "accept: application/json"});
    }
    /// The violation that one request is.
    std::string blamed_for(const net::HttpResponse& response) const {
        EXPECT_GE(response.status, 400);
        const auto all = server.violations();
        return all.size() == 1 ? all.front() : "not one violation";
    }

    DuxServer server;
};

boost::json::value body_of(const net::HttpResponse& response) {
    return boost::json::parse(response.body);
}

TEST(DuxServer, GivesItemsByPagesAndTheRubrosOfThem) {
    const Shop shop;
    const auto page = body_of(shop.get("/items?offset=100&limit=50"));
    EXPECT_EQ(page.at("paging"), (boost::json::value{{"total", 120}, {"offset", 100}, {"limit", 50}}));
    EXPECT_EQ(page.at("results").as_array().size(), 20U);
    EXPECT_EQ(page.at_pointer("/results/0/cod_item"), "A100");
    EXPECT_EQ(page.at_pointer("/results/0/costo"), "10.50");
    EXPECT_EQ(body_of(shop.get("/rubros")).as_array().size(), 3U);
    EXPECT_THAT(shop.server.violations(), IsEmpty());
    EXPECT_THAT(shop.server.offsets(), ElementsAre(100U));
}

TEST(DuxServer, SpeaksVersionTwoWithNumbersAndFilters) {
    const Shop shop{{.version = 2}};
    const auto page = body_of(shop.get2("/v2/items?offset=0&limit=10&habilitado=false"));
    EXPECT_EQ(page.at("paginacion"),
              (boost::json::value{{"total", 60}, {"offset", 0}, {"limit", 10}, {"hay_mas", true}}));
    EXPECT_EQ(page.at_pointer("/datos/0/cod_item"), "A1");
    EXPECT_EQ(page.at_pointer("/datos/0/costo"), 10.5);
    EXPECT_TRUE(page.at("id_solicitud").is_string());
    EXPECT_EQ(shop.get2("/v2/rubros").status, 200);
    EXPECT_THAT(shop.server.violations(), IsEmpty());
}

TEST(DuxServer, TellsVersionTwoWhatChangedSinceADay) {
    Shop shop{{.version = 2}};
    auto items = shop.server.items();
    items[7].at("costo") = "11.00";
    shop.server.set_items(items, "2026-03-05");
    const auto since = [&](const std::string& day) {
        return body_of(shop.get2("/v2/items?offset=0&limit=50&fecha_ult_actualizacion=" + day))
            .at_pointer("/paginacion/total")
            .as_int64();
    };
    EXPECT_EQ(since("2026-03-05"), 1);
    EXPECT_EQ(since("2026-03-06"), 0);
    EXPECT_EQ(since("2026-01-01"), 120);
}

TEST(DuxServer, RefusesTheKeyInTheFormOfTheOtherVersion) {
    const Shop one;
    EXPECT_THAT(one.blamed_for(one.get2("/items?offset=0&limit=50")), HasSubstr("authorization"));
    const Shop two{{.version = 2}};
    EXPECT_THAT(two.blamed_for(two.get("/v2/items?offset=0&limit=50")), HasSubstr("authorization"));
}

TEST(DuxServer, AnswersAWrongKeyWithoutBlame) {
    const Shop shop;
    const auto answer = shop.get("/items?offset=0&limit=50", {"authorization: other", "accept: application/json"});
    EXPECT_EQ(answer.status, 401);
    EXPECT_THAT(shop.server.violations(), IsEmpty());
}

TEST(DuxServer, RefusesARequestThatDoesNotAcceptJson) {
    const Shop shop;
    EXPECT_THAT(shop.blamed_for(shop.get("/items?offset=0&limit=50", {"authorization: k3y-of-the-shop"})),
                HasSubstr("accept"));
}

TEST(DuxServer, RefusesTargetsThatThereAreNot) {
    for (const char* target :
         {"/items", "/items?offset=0", "/items?offset=0&limit=51", "/items?offset=0&limit=0",
          "/items?offset=-1&limit=50", "/items?offset=0&limit=50&habilitado=true", "/items?offset=0&offset=0&limit=50",
          "/rubros?offset=0", "/v2/items?offset=0&limit=50", "/productos"}) {
        const Shop shop;
        const auto answer = shop.get(target);
        EXPECT_NE(shop.blamed_for(answer), "not one violation") << target;
    }
}

TEST(DuxServer, RefusesFiltersOfVersionTwoThatAreNone) {
    for (const char* filter : {"habilitado=si", "fecha_ult_actualizacion=05/03/2026", "pagina=1"}) {
        const Shop shop{{.version = 2}};
        EXPECT_NE(shop.blamed_for(shop.get2(std::string{"/v2/items?offset=0&limit=50&"} + filter)), "not one violation")
            << filter;
    }
}

TEST(DuxServer, RefusesRequestsThatComeFasterThanItsPace) {
    auto now = std::chrono::steady_clock::time_point{};
    const Shop shop{{.pace = 5s, .clock = [&] { return now; }}};
    EXPECT_EQ(shop.get("/rubros").status, 200);
    now += 5s;
    EXPECT_EQ(shop.get("/items?offset=0&limit=50").status, 200);
    EXPECT_THAT(shop.server.violations(), IsEmpty());
    now += 3s;
    EXPECT_EQ(shop.get("/items?offset=50&limit=50").status, 429);
    EXPECT_THAT(shop.server.violations(), ElementsAre(HasSubstr("too early")));
    now += 2s;
    EXPECT_EQ(shop.get("/items?offset=50&limit=50").status, 200);
}

TEST(DuxServer, SaysInEachWayWhenToComeAgainAndBlamesWhoComesSooner) {
    auto now = std::chrono::steady_clock::time_point{};
    Shop shop{{.clock = [&] { return now; }}};
    shop.server.refuse(DuxHint::seconds, 2s);
    EXPECT_EQ(shop.get("/rubros").headers.at("retry-after"), "2");
    now += 1s;
    EXPECT_EQ(shop.get("/rubros").status, 429);
    EXPECT_THAT(shop.server.violations(), ElementsAre(HasSubstr("before the wait")));
    now += 1s;
    shop.server.refuse(DuxHint::date, 1s);
    EXPECT_THAT(shop.get("/rubros").headers.at("retry-after"), testing::ContainsRegex("^[A-Z][a-z]{2}, .* GMT$"));
    now += 1s;
    shop.server.refuse(DuxHint::body, 3s);
    EXPECT_EQ(body_of(shop.get("/rubros")).at_pointer("/error/reintentar_en_segundos"), 3);
    now += 3s;
    EXPECT_EQ(shop.get("/rubros").status, 200);
    EXPECT_EQ(shop.server.violations().size(), 1U);
}

TEST(DuxServer, FailsThePageWithAnItemAsOftenAsItIsTold) {
    Shop shop;
    shop.server.fail(60, DuxFault::html);
    shop.server.fail(60, DuxFault::cut_json);
    shop.server.fail(60, DuxFault::error_body);
    shop.server.fail(60, DuxFault::unauthorized);
    shop.server.fail(60, DuxFault::forbidden);
    shop.server.fail(60, DuxFault::server_error);
    EXPECT_EQ(shop.get("/items?offset=0&limit=50").status, 200);
    const std::string page = "/items?offset=50&limit=50";
    EXPECT_THAT(shop.get(page).body, HasSubstr("<html>"));
    boost::system::error_code failed;
    boost::json::parse(shop.get(page).body, failed);
    EXPECT_TRUE(failed);
    EXPECT_TRUE(body_of(shop.get(page)).as_object().contains("error"));
    EXPECT_EQ(shop.get(page).status, 401);
    EXPECT_EQ(shop.get(page).status, 403);
    EXPECT_EQ(shop.get(page).status, 503);
    EXPECT_EQ(body_of(shop.get(page)).at_pointer("/results/0/cod_item"), "A50");
    shop.server.fail(60, DuxFault::cut_connection);
    EXPECT_THROW(shop.get(page), Error);
    shop.server.fail(60, DuxFault::silence);
    EXPECT_THROW(shop.get(page), Error);
    EXPECT_THAT(shop.server.violations(), IsEmpty());
}

TEST(DuxServer, ChangesTheCatalogBeforeAPage) {
    Shop shop;
    shop.server.before(60, [](boost::json::array& items) { items.erase(items.begin()); });
    EXPECT_EQ(body_of(shop.get("/items?offset=0&limit=50")).at_pointer("/paging/total"), 120);
    const auto page = body_of(shop.get("/items?offset=50&limit=50"));
    EXPECT_EQ(page.at_pointer("/paging/total"), 119);
    EXPECT_EQ(page.at_pointer("/results/0/cod_item"), "A51");
}

}  // namespace
}  // namespace decant::test
