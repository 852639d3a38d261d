// The alert rules and the dashboard of deploy/ name only metrics that the server has.

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>

#include "api/metrics_registry.hpp"
#include "core/json.hpp"

namespace decant::api {
namespace {

std::string deployed(const std::string& name) {
    std::ifstream file{std::string{DECANT_SOURCE_DIR} + "/deploy/" + name};
    return {std::istreambuf_iterator<char>{file}, {}};
}

std::set<std::string> matches(const std::string& text, const std::string& pattern) {
    const std::regex wanted{pattern};
    std::set<std::string> found;
    for (std::sregex_iterator match{text.begin(), text.end(), wanted}; match != std::sregex_iterator{}; ++match)
        found.insert(match->str(1));
    return found;
}

/// The exposition of a server that has something of everything.
std::string exposition() {
    MetricsRegistry registry{"test"};
    registry.count_request({.route = "/healthz", .method = "GET", .status = 200, .seconds = 0.1});
    registry.observe_stage(Stage::search, 0.1);
    registry.count_shed("search");
    registry.count_limited("search");
    return registry.text(
        {.lanes = {{.name = "search"}},
         .jobs = ServerState::Jobs{},
         .products = ServerState::Products{},
         .quality =
             ServerState::Quality{.searches = 1,
                                  .metrics = {{.name = "coverage", .value = 1.0, .target = 0.99, .is_met = true}}},
         .database_up = true,
         .embedder_up = true});
}

class DeployedFile : public testing::TestWithParam<std::string> {};

TEST_P(DeployedFile, NamesOnlyMetricsThatTheServerHas) {
    const std::string text = deployed(GetParam());
    const std::string server = exposition();
    const std::set<std::string> named = matches(text, R"(\b(decant_[a-z0-9_]+))");
    EXPECT_GE(named.size(), 8U);
    for (const std::string& name : named) {
        const bool is_there =
            server.find("\n" + name + "{") != std::string::npos || server.find("\n" + name + " ") != std::string::npos;
        EXPECT_TRUE(is_there) << name;
    }
}

TEST_P(DeployedFile, SelectsByLabelsThatTheServerGives) {
    const std::string text = std::regex_replace(deployed(GetParam()), std::regex{R"(\\")"}, "\"");
    const std::string server = exposition();
    for (const std::string& label : matches(text, R"([{,]([a-z_]+)(?:=|!=|=~|!~)\")")) {
        if (label == "instance" || label == "job") continue;  // Prometheus's own
        EXPECT_NE(server.find(label + "=\""), std::string::npos) << label;
    }
}

INSTANTIATE_TEST_SUITE_P(Deploy, DeployedFile, testing::Values("prometheus-rules.yaml", "grafana-dashboard.json"),
                         [](const auto& file) { return file.param.substr(0, file.param.find('-')); });

TEST(Dashboard, IsJsonWithPanelsThatAskAndDoNotOverlap) {
    const json::value dashboard = json::parse(deployed("grafana-dashboard.json"));
    std::set<std::pair<std::int64_t, std::int64_t>> places;
    for (const json::value& panel : dashboard.at("panels").as_array()) {
        EXPECT_FALSE(panel.at("targets").as_array().empty());
        const json::value& place = panel.at("gridPos");
        EXPECT_TRUE(places.insert({place.at("x").as_int64(), place.at("y").as_int64()}).second);
    }
}

}  // namespace
}  // namespace decant::api
