// Experiments on the traffic of the server: who gets which arm, what is recorded of it, and what is told of it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "quality/experiment.hpp"
#include "store/experiment_store.hpp"
#include "tests/support/api_case.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/jwt_token.hpp"

namespace decant::api {
namespace {

using namespace std::chrono_literals;
using store::Experiment;
using test::body_of;
using testing::HasSubstr;

const std::string search_path = "/api/v1/pgvector/search";

class Experiments : public testing::Test {
protected:
    /// Starts it, and waits until the server knows it.
    void start(Experiment::Mode mode, const std::string& arms, Experiment::Unit unit = Experiment::Unit::user) {
        pg::Connection db = with_.catalog().open();
        arms_ = quality::parse_arms(arms);
        store::ExperimentStore{db}.start(
            {.name = "summer", .arms = arms_, .unit = unit, .mode = mode, .metric = "chosen"});
        with_.server().reload();
        ASSERT_TRUE(
            test::eventually(10s, [&] { return search("ana").at("metadata").as_object().contains("experiment"); }));
        const std::size_t events = mode == Experiment::Mode::shadow ? arms_.size() : 1;
        ASSERT_TRUE(is_recorded(static_cast<int>(events)));
        with_.catalog().exec("DELETE FROM decant.search_events");
    }
    json::object search(const std::string& user, const std::string& more = "") const {
        const net::HttpResponse response = with_.post(
            search_path, fmt::format(R"({{"query": "thing 5", "limit": 3, "user_id": "{}"{}}})", user, more));
        EXPECT_EQ(response.status, 200) << response.body;
        json::object answer = body_of(response);
        answer["run_id"] = response.headers.at("x-request-id");
        return answer;
    }
    static std::string arm(const json::object& answer) {
        return std::string{answer.at("metadata").at("experiment").at("arm").as_string()};
    }
    std::string assigned(const std::string& unit) const {
        return arms_[quality::arm_of(arms_, quality::unit_digest("summer", unit))].strategy;
    }
    /// Events of the experiment for which `condition` holds.
    int count(const std::string& condition) const {
        return std::stoi(with_.catalog().value(
            "SELECT count(*) FROM decant.search_events WHERE experiment = 'summer' AND " + condition));
    }
    bool is_recorded(int events, const std::string& condition = "true") const {
        return test::eventually(10s, [&] { return count(condition) == events; });
    }
    void give_feedback(const json::object& answer, std::string_view product, double score = 1) const {
        const json::object body{{"run_id", answer.at("run_id")}, {"score", score}, {"product_id", product}};
        const net::HttpResponse response = with_.post("/api/v1/feedback", json_text(body));
        EXPECT_EQ(response.status, 201) << response.body;
    }
    json::object report() const { return body_of(with_.get("/api/v1/experiments/summer")); }

    test::ApiCase with_{{{"DECANT_RATE_SEARCH", "0"}, {"DECANT_RATE_CHAT", "0"}, {"DECANT_RATE_MONITORING", "0"}}};
    std::vector<store::Arm> arms_;
};

TEST_F(Experiments, GiveEachUserOneArmAndRecordIt) {
    start(Experiment::Mode::split, "pgvector_primary:50,keyword:50");
    std::set<std::string> arms;
    for (int user = 0; user < 20; ++user) {
        const std::string name = fmt::format("user-{}", user);
        const json::object answer = search(name);
        EXPECT_EQ(arm(answer), assigned(name));
        EXPECT_EQ(arm(search(name)), assigned(name)) << "the second time too";
        EXPECT_EQ(answer.at("metadata").at("strategy").as_string(), assigned(name));
        arms.insert(arm(answer));
    }
    EXPECT_EQ(arms.size(), 2U);
    ASSERT_TRUE(is_recorded(40));
    EXPECT_EQ(with_.catalog().value("SELECT count(DISTINCT unit) FROM decant.search_events"), "20");
    EXPECT_EQ(count("arm <> strategy"), 0);
    EXPECT_EQ(count("unit LIKE '%user%'"), 0) << "the user's name is kept nowhere";
}

TEST_F(Experiments, GiveArmsTheirSharesOfTheUnits) {
    start(Experiment::Mode::split, "pgvector_primary:70,keyword:30");
    for (int user = 0; user < 600; ++user)
        search(fmt::format("web_{}", user));
    ASSERT_TRUE(is_recorded(600));
    const json::object told = report();
    EXPECT_EQ(told.at("is_split_wrong"), json::value(false));
    // Within five standard deviations of the binomial.
    EXPECT_NEAR(told.at("arms").at(1).at("units").to_number<double>(), 180, 56);
    EXPECT_NEAR(told.at("arms").at(0).at("units").to_number<double>(), 420, 56);
}

TEST_F(Experiments, LeaveAloneWhoeverNamesAStrategy) {
    start(Experiment::Mode::split, "pgvector_primary,keyword");
    const json::object answer = search("ana", R"(, "strategy": "fusion")");
    EXPECT_FALSE(answer.at("metadata").as_object().contains("experiment"));
    EXPECT_EQ(answer.at("metadata").at("strategy"), "fusion");
    search("ana");
    ASSERT_TRUE(is_recorded(1));
}

TEST_F(Experiments, TakeSessionsForUnitsWhereTheyAreToldTo) {
    start(Experiment::Mode::split, "pgvector_primary,keyword", Experiment::Unit::session);
    for (int session = 0; session < 10; ++session) {
        const std::string name = fmt::format("session-{}", session);
        EXPECT_EQ(arm(search("ana", fmt::format(R"(, "session_id": "{}")", name))), assigned(name));
    }
}

TEST(ExperimentsOfOneToken, TellTheVisitorsOfAShopApartByTheirSessions) {
    const test::ApiCase with{{{"JWT_SECRET_KEY", std::string{test::jwt_secret}}, {"DECANT_RATE_SEARCH", "0"}}};
    pg::Connection db = with.catalog().open();
    const std::vector<store::Arm> arms = quality::parse_arms("pgvector_primary,keyword");
    store::ExperimentStore{db}.start({.name = "summer", .arms = arms, .metric = "chosen"});
    const std::string bearer =
        "Authorization: Bearer " +
        test::make_token(test::jwt_header, R"({"sub": "shop", "exp": 4102444800, "scope": "search"})");
    const auto arm_of = [&](const std::string& session) {
        const json::object metadata =
            body_of(
                with.post(search_path, fmt::format(R"({{"query": "thing 5", "session_id": "{}"}})", session), {bearer}))
                .at("metadata")
                .as_object();
        const json::value* experiment = metadata.if_contains("experiment");
        return experiment == nullptr ? std::string{} : std::string{experiment->at("arm").as_string()};
    };
    ASSERT_TRUE(test::eventually(10s, [&] { return !arm_of("s").empty(); }));
    for (int session = 0; session < 10; ++session) {
        const std::string name = fmt::format("session-{}", session);
        EXPECT_EQ(arm_of(name), arms[quality::arm_of(arms, quality::unit_digest("summer", name))].strategy);
    }
}

TEST_F(Experiments, AreForChatsToo) {
    start(Experiment::Mode::split, "pgvector_primary,keyword");
    for (int user = 0; user < 10; ++user) {
        const std::string name = fmt::format("user-{}", user);
        const net::HttpResponse response =
            with_.post("/api/v1/chat/message", fmt::format(R"({{"user_id": "{}", "message": "busco thing 5"}})", name));
        ASSERT_EQ(response.status, 200) << response.body;
        EXPECT_EQ(body_of(response).at("metadata").at("experiment").at("arm").as_string(), assigned(name));
    }
    ASSERT_TRUE(is_recorded(10, "kind = 'chat' AND arm = strategy"));
}

TEST_F(Experiments, EndWithinSecondsWhenTheyAreStopped) {
    start(Experiment::Mode::split, "pgvector_primary,keyword");
    pg::Connection db = with_.catalog().open();
    store::ExperimentStore{db}.stop("summer");
    with_.server().reload();
    EXPECT_TRUE(
        test::eventually(10s, [&] { return !search("ana").at("metadata").as_object().contains("experiment"); }));
    EXPECT_EQ(report().at("experiment").at("state"), "stopped");
}

TEST_F(Experiments, TellWhatWasChosenOfEachArm) {
    start(Experiment::Mode::split, "pgvector_primary,keyword");
    std::map<std::string, int> users;
    for (int user = 0; user < 12; ++user) {
        const json::object answer = search(fmt::format("user-{}", user));
        ++users[arm(answer)];
        if (arm(answer) == "pgvector_primary")
            give_feedback(answer, answer.at("results").at(0).at("product_id").as_string());
    }
    ASSERT_TRUE(is_recorded(12));
    const json::object told = report();
    for (const json::value& one : told.at("arms").as_array()) {
        const std::string name{one.at("arm").as_string()};
        EXPECT_EQ(one.at("units"), json::value(users[name]));
        const json::value& chosen = one.at("metrics").at(0);
        EXPECT_EQ(chosen.at("metric"), "chosen");
        EXPECT_EQ(chosen.at("mean").at("value").to_number<double>(), name == "pgvector_primary" ? 1 : 0);
        EXPECT_EQ(one.at("verdict"), "undecided") << "twelve users prove nothing";
    }
    EXPECT_THAT(std::string{told.at("conclusion").as_string()}, HasSubstr("No difference is found yet"));
}

TEST_F(Experiments, KeepAChoiceWhenTheCallerAlsoRatesTheAnswer) {
    start(Experiment::Mode::split, "pgvector_primary,keyword");
    const json::object answer = search("ana");
    const std::string id = with_.catalog().id_of("p-5");
    give_feedback(answer, id);
    with_.post("/api/v1/feedback", json_text(json::object{{"run_id", answer.at("run_id")}, {"score", 0.5}}));
    EXPECT_EQ(with_.catalog().value("SELECT product_id || ' ' || score FROM decant.feedback"), id + " 0.5");
    EXPECT_EQ(with_.post("/api/v1/feedback", R"({"run_id": "r", "score": 1, "product_id": "5"})").status, 400);
}

TEST_F(Experiments, CountAChoiceThatSaysNothingOfTheAnswer) {
    start(Experiment::Mode::split, "pgvector_primary,keyword");
    const json::object answer = search("ana");
    const json::object body{{"run_id", answer.at("run_id")}, {"product_id", with_.catalog().id_of("p-5")}};
    EXPECT_EQ(with_.post("/api/v1/feedback", json_text(body)).status, 201);
    ASSERT_TRUE(is_recorded(1));
    const json::object told = report();
    for (const json::value& one : told.at("arms").as_array()) {
        if (std::string{one.at("arm").as_string()} != arm(answer)) continue;
        for (const json::value& metric : one.at("metrics").as_array()) {
            if (metric.at("metric") == "chosen") {
                EXPECT_EQ(metric.at("mean").at("value").to_number<double>(), 1);
            }
            if (metric.at("metric") == "feedback") {
                EXPECT_EQ(metric.at("units"), 0);
            }
        }
    }
}

TEST_F(Experiments, CountWhatIsSaidOfAStreamedMessageByItsId) {
    start(Experiment::Mode::split, "pgvector_primary,keyword");
    const net::HttpResponse streamed =
        with_.post("/api/v1/chat/message/stream", R"({"user_id": "ana", "message": "busco thing 5"})");
    const std::string message = streamed.body.substr(streamed.body.find("id: ") + 4, 36);
    const json::object said{{"message_id", message}, {"score", 0.25}, {"product_id", with_.catalog().id_of("p-5")}};
    EXPECT_EQ(with_.post("/api/v1/feedback", json_text(said)).status, 201);
    ASSERT_TRUE(is_recorded(1, "message_id = '" + message + "'")) << streamed.body;
    pg::Connection db = with_.catalog().open();
    std::map<std::string, double> means;
    for (const store::ArmFigure& figure : store::ExperimentStore{db}.figures(store::ExperimentStore{db}.find("summer")))
        means[figure.metric] = figure.mean;
    EXPECT_EQ(means.at("feedback"), 0.25);
    EXPECT_EQ(means.at("chosen"), 1);
}

TEST_F(Experiments, MixBothArmsInOneAnswerAndCreditWhatIsChosen) {
    start(Experiment::Mode::interleave, "keyword,pgvector_primary");
    for (int user = 0; user < 30; ++user) {
        const json::object answer = search(fmt::format("user-{}", user));
        EXPECT_EQ(answer.at("metadata").at("strategy_used"), "interleaved");
        EXPECT_LE(answer.at("results").as_array().size(), 3U);
        EXPECT_EQ(with_.skus(answer), with_.skus(search(fmt::format("user-{}", user)))) << "of one question the same";
        std::string best = with_.catalog().id_of("p-5");                           // that only the vectors find
        if (user % 2 == 0) std::ranges::transform(best, best.begin(), ::toupper);  // as some shops write theirs
        give_feedback(answer, best);
    }
    ASSERT_TRUE(is_recorded(60, "arm = 'interleaved' AND teams IS NOT NULL"));
    const json::object preference = report().at("preference").as_object();
    EXPECT_EQ(preference.at("arm"), "pgvector_primary");
    EXPECT_EQ(preference.at("wins"), json::value(30)) << "one a user and question, however often he asked";
    EXPECT_EQ(preference.at("losses"), json::value(0));
    EXPECT_LT(preference.at("share").at("p").to_number<double>(), 0.001);
    EXPECT_EQ(report().at("arms").at(1).at("verdict"), "better");
}

TEST_F(Experiments, AnswerByOneArmWhereTheOtherOfAMixedAnswerFails) {
    start(Experiment::Mode::interleave, "keyword,pgvector");
    with_.is_model_away = true;
    const net::HttpResponse response = with_.post(search_path, R"({"query": "producto 77", "user_id": "ana"})");
    EXPECT_EQ(response.status, 200) << response.body;
    EXPECT_FALSE(body_of(response).at("metadata").as_object().contains("experiment"));
}

TEST_F(Experiments, RunTheOtherArmOnlyAfterTheAnswerInAShadow) {
    start(Experiment::Mode::shadow, "pgvector_primary,keyword");
    for (int user = 0; user < 5; ++user)
        EXPECT_EQ(arm(search(fmt::format("user-{}", user))), "pgvector_primary");
    ASSERT_TRUE(is_recorded(5, "kind = 'shadow' AND arm = 'keyword' AND overlap IS NOT NULL"));
    EXPECT_EQ(count("kind = 'search'"), 5);
    const json::object told = report();
    const json::value& shadow = told.at("arms").at(1);
    EXPECT_EQ(shadow.at("is_shadow"), json::value(true));
    std::set<std::string> metrics;
    for (const json::value& metric : shadow.at("metrics").as_array())
        metrics.insert(std::string{metric.at("metric").as_string()});
    EXPECT_TRUE(metrics.contains("results") && metrics.contains("latency") && metrics.contains("overlap"));
    const json::object figures = body_of(with_.get("/api/v1/pgvector/metrics?time_range=1h"));
    EXPECT_EQ(figures.at("search_metrics").at("total_searches"), json::value(5)) << "a shadow answers nobody";
}

TEST_F(Experiments, ShadowTheSearchesOfTheModelContextProtocolToo) {
    start(Experiment::Mode::shadow, "pgvector_primary,keyword");
    const net::HttpResponse called = with_.post(
        "/mcp", R"({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "search_products",)"
                R"( "arguments": {"query": "thing 5", "user_id": "ana"}}})");
    EXPECT_THAT(called.body, HasSubstr(R"("name":"summer")"));
    EXPECT_TRUE(is_recorded(1, "kind = 'shadow' AND arm = 'keyword' AND overlap IS NOT NULL"));
}

TEST_F(Experiments, NeverHaveAnAnswerWaitForAShadow) {
    start(Experiment::Mode::shadow, "pgvector,keyword");
    pg::Connection db = with_.catalog().open();
    db.exec("BEGIN; LOCK TABLE decant.product_words IN ACCESS EXCLUSIVE MODE");
    EXPECT_EQ(with_.skus(search("ana")).substr(0, 3), "p-5");
    EXPECT_EQ(with_.skus(search("ana")).substr(0, 3), "p-5") << "nor the next one for the shadow of this";
    EXPECT_EQ(count("kind = 'shadow'"), 0);
    db.exec("ROLLBACK");
    EXPECT_TRUE(is_recorded(2, "kind = 'shadow' AND error IS NULL"));
}

TEST_F(Experiments, RecordAShadowThatFailsAsThat) {
    start(Experiment::Mode::shadow, "keyword,pgvector");
    with_.is_model_away = true;
    EXPECT_EQ(with_.post(search_path, R"({"query": "producto 77", "user_id": "ana"})").status, 200);
    EXPECT_TRUE(is_recorded(1, "kind = 'shadow' AND error = 'embedder_unavailable'"));
}

TEST_F(Experiments, GoOnAfterAShadowThatFailsByWhatNobodyExpects) {
    start(Experiment::Mode::shadow, "keyword,pgvector");
    with_.is_model_broken = true;
    EXPECT_EQ(with_.post(search_path, R"({"query": "producto 77", "user_id": "ana"})").status, 200);
    EXPECT_TRUE(is_recorded(1, "kind = 'shadow' AND error = 'internal'"));
    with_.is_model_broken = false;
    search("ana");
    EXPECT_TRUE(is_recorded(1, "kind = 'shadow' AND error IS NULL"));
}

TEST_F(Experiments, CountASearchThatFailsByWhatNobodyExpects) {
    start(Experiment::Mode::split, "pgvector:50,pgvector_primary:50");
    with_.is_model_broken = true;
    EXPECT_EQ(with_.post(search_path, R"({"query": "producto 77", "user_id": "ana"})").status, 500);
    EXPECT_TRUE(is_recorded(1, "kind = 'search' AND error = 'internal' AND experiment = 'summer'"));
}

TEST_F(Experiments, AreTagsOfTheirTraces) {
    start(Experiment::Mode::shadow, "pgvector_primary,keyword");
    const json::object answer = search("ana");
    const auto has_trace = [&](const std::string& arm, const std::string& condition) {
        return test::eventually(10s, [&] {
            return with_.catalog().value(
                       "SELECT count(*) > 0 FROM decant.trace_runs WHERE parent_id IS NULL AND tags @> "
                       "ARRAY['experiment:summer', 'arm:" +
                       arm + "'] AND " + condition) == "t";
        });
    };
    const std::string run{answer.at("run_id").as_string()};
    EXPECT_TRUE(has_trace("pgvector_primary", "name = 'product_search' AND request_id = '" + run + "'"));
    EXPECT_TRUE(has_trace("keyword", "name = 'shadow_search' AND metadata->>'request_id' = '" + run + "'"));
    EXPECT_EQ(with_.catalog().value("SELECT count(request_id) FROM decant.trace_runs WHERE name = 'shadow_search'"),
              "0")
        << "feedback on an answer is none on its shadow";
}

TEST_F(Experiments, AreListedForTheWebPage) {
    start(Experiment::Mode::split, "pgvector_primary:70,fusion:30");
    const json::object listed = body_of(with_.get("/api/v1/experiments"));
    const json::value& one = listed.at("experiments").at(0);
    EXPECT_EQ(one.at("name"), "summer");
    EXPECT_EQ(one.at("state"), "running");
    EXPECT_EQ(one.at("arms").at(1).at("weight"), json::value(30));
    EXPECT_EQ(with_.get("/api/v1/experiments/winter").status, 404);
}

/// Other settings than those of whoever started the experiment.
TEST(ExperimentsElsewhere, AreLeftOutWhereTheirArmIsOff) {
    const test::ApiCase with{{{"USE_PGVECTOR", "false"}, {"DECANT_RATE_CHAT", "0"}}};
    pg::Connection db = with.catalog().open();
    const std::vector<store::Arm> arms = quality::parse_arms("pgvector:50,keyword:50");
    store::ExperimentStore{db}.start({.name = "summer", .arms = arms, .metric = "chosen"});
    const auto user_of = [&](const std::string& strategy) {
        for (int i = 0;; ++i)
            if (std::string user = fmt::format("user-{}", i);
                arms[quality::arm_of(arms, quality::unit_digest("summer", user))].strategy == strategy)
                return user;
    };
    const auto chat = [&](const std::string& user) {
        return with.post("/api/v1/chat/message",
                         fmt::format(R"({{"user_id": "{}", "message": "busco algo de audio"}})", user));
    };
    const auto has_experiment = [](const net::HttpResponse& response) {
        return body_of(response).at("metadata").as_object().contains("experiment");
    };
    ASSERT_TRUE(test::eventually(20s, [&] { return has_experiment(chat(user_of("keyword"))); }))
        << chat(user_of("keyword")).body;
    const net::HttpResponse elsewhere = chat(user_of("pgvector"));
    EXPECT_EQ(elsewhere.status, 200) << elsewhere.body;
    EXPECT_FALSE(has_experiment(elsewhere));
}

}  // namespace
}  // namespace decant::api
