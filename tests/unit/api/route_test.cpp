#include "api/route.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/openapi.hpp"

namespace decant::api {
namespace {

using testing::ElementsAre;

const Shape id_path{.name = "IdPath", .fields = {{.name = "id", .type = FieldType::uuid, .required = true}}};
const Shape body{.name = "Body", .fields = {{.name = "name", .required = true}}};

RouteTable table() {
    return RouteTable{{{.method = "GET", .path = "/things", .id = "list", .scope = Scope::search},
                       {.method = "POST",
                        .path = "/things",
                        .id = "make",
                        .scope = Scope::admin,
                        .rate = RateClass::batch,
                        .body = &body,
                        .success = 201},
                       {.method = "GET", .path = "/things/{id}", .id = "show", .path_shape = &id_path},
                       {.method = "DELETE", .path = "/things/{id}/parts/{part}", .id = "cut"}}};
}

TEST(RouteTable, FindsByMethodAndPathAndReadsTheNames) {
    const RouteTable routes = table();
    EXPECT_EQ(routes.find("GET", "/things?limit=1").route->id, "list");
    EXPECT_EQ(routes.find("POST", "/things").route->id, "make");
    const RouteTable::Found found = routes.find("DELETE", "/things/a%20b/parts/7");
    ASSERT_NE(found.route, nullptr);
    EXPECT_EQ(found.route->id, "cut");
    EXPECT_THAT(found.path, ElementsAre("a b", "7"));
}

TEST(RouteTable, AnswersHeadAsGet) {
    EXPECT_EQ(table().find("HEAD", "/things").route->id, "list");
    EXPECT_EQ(table().find("HEAD", "/things/x/parts/7").route, nullptr);
}

TEST(RouteTable, SaysWhatAPathTakes) {
    EXPECT_EQ(table().find("PUT", "/things").allowed, "GET, HEAD, POST");
    EXPECT_EQ(table().find("get", "/things").allowed, "GET, HEAD, POST");
}

TEST(RouteTable, KnowsNoOtherPaths) {
    for (const std::string_view target : {"/", "/thing", "/things/", "/things//parts/7", "/things/x/parts", "/THINGS",
                                          "//things", "/things/x/parts/7/8", "/things/../things"}) {
        const RouteTable::Found found = table().find("GET", target);
        EXPECT_EQ(found.route, nullptr) << target;
        EXPECT_EQ(found.allowed, "") << target;
    }
}

TEST(OpenApi, HasEveryRouteWithWhatItTakesAndMayAnswer) {
    const RouteTable routes = table();
    const json::object document = openapi_document(routes.routes(), "1.2.3");
    EXPECT_EQ(document.at("openapi"), "3.1.0");
    const json::object& make = document.at("paths").at("/things").at("post").as_object();
    EXPECT_EQ(make.at("operationId"), "make");
    EXPECT_EQ(make.at("x-scope"), "admin");
    std::vector<std::string> statuses;
    for (const auto& response : make.at("responses").as_object())
        statuses.emplace_back(response.key());
    EXPECT_THAT(statuses, ElementsAre("201", "400", "401", "403", "413", "415", "422", "429", "500", "503"));
    const json::object& show = document.at("paths").at("/things/{id}").at("get").as_object();
    EXPECT_EQ(show.at("security"), json::value(json::array{}));
    EXPECT_EQ(show.at("parameters").as_array().front().at("required"), json::value(true));
}

}  // namespace
}  // namespace decant::api
