// The chat over HTTP: answers, events that are streamed and can be had again, sessions.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <sstream>

#include "tests/support/api_case.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/llm_server.hpp"

namespace decant::api {
namespace {

using namespace std::chrono_literals;
using test::body_of;
using testing::HasSubstr;

constexpr auto message_path = "/api/v1/chat/message";
constexpr auto stream_path = "/api/v1/chat/message/stream";

struct Event {
    std::string id;
    json::object data;
    std::string type() const { return std::string{data.at("event_type").as_string()}; }
};

std::vector<Event> events_of(const std::string& body) {
    std::vector<Event> events;
    std::istringstream lines{body};
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("id: ")) events.push_back({.id = line.substr(4)});
        if (line.starts_with("data: ")) events.back().data = json::parse(line.substr(6)).as_object();
    }
    return events;
}

class ApiChatTest : public testing::Test {
protected:
    static void SetUpTestSuite() { with_ = new test::ApiCase; }
    static void TearDownTestSuite() { delete with_; }

    static std::string said(const std::string& user, const std::string& message) {
        return json_text(json::object{{"user_id", user}, {"message", message}});
    }
    static json::object history_of(const std::string& user) {
        return body_of(with_->get("/api/v1/chat/history?user_id=" + user));
    }

    static inline test::ApiCase* with_ = nullptr;
};

TEST_F(ApiChatTest, AnswersAndRemembersTheSession) {
    const json::object answer =
        body_of(with_->post(message_path, R"({"user_id": "ana", "message": "thing 5", "metadata": {"shop": 7}})"));
    EXPECT_EQ(answer.at("status"), "success");
    EXPECT_EQ(answer.at("session_id"), "chat_ana");
    const json::object& metadata = answer.at("metadata").as_object();
    EXPECT_EQ(metadata.at("shop"), json::value(7));
    EXPECT_EQ(metadata.at("strategy_used"), "pgvector");
    EXPECT_EQ(metadata.at("products").at(0).at("sku"), "p-5");
    EXPECT_THAT(std::string{answer.at("response").as_string()}, HasSubstr("Producto 5"));

    const json::object history = history_of("ana");
    EXPECT_EQ(history.at("total_messages"), json::value(2));
    EXPECT_EQ(history.at("messages").at(0).at("type"), "human");
    EXPECT_EQ(history.at("messages").at(0).at("content"), "thing 5");
    EXPECT_EQ(history.at("messages").at(1).at("content"), answer.at("response"));
}

TEST(ApiChatFaults, AnAnswerUnderWayKeepsItsConnectionWhileOthersGoAndSettingsAreReadAgain) {
    std::unique_ptr<test::ApiCase> with;
    test::LlmServer llm{[&](const json::object& request) -> std::vector<std::string> {
        if (!request.contains("format")) return {"Producto 4 cuesta $40."};
        // The connection that looks whether the database is there.
        EXPECT_TRUE(test::eventually(10s, [&] {
            return with->catalog().value(
                       "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity WHERE datname = "
                       "current_database() AND query = 'SELECT 1' AND state = 'idle'") == "1";
        }));
        const auto is_ready = [&] { return with->get("/readyz").status == 200; };
        test::eventually(3s, [&] { return !is_ready(); });
        EXPECT_TRUE(test::eventually(10s, is_ready));
        with->server().reload();
        return {R"({"intent":"search_specific_products","search_terms":"thing 4","category":null,"brand":null,)"
                R"("price_min":null,"price_max":null,"specific_product":null,"wants_stock_info":false,)"
                R"("wants_featured":false,"wants_sale":false})"};
    }};
    with = std::make_unique<test::ApiCase>(
        Settings::Variables{{"DECANT_LLM", "ollama"}, {"OLLAMA_API_URL", llm.url()}, {"OLLAMA_API_MODEL", "qwen3:4b"}});
    const net::HttpResponse response = with->post(message_path, R"({"user_id": "ana", "message": "thing 4"})");
    EXPECT_EQ(response.status, 200) << response.body;
    EXPECT_THAT(response.body, HasSubstr(R"("p-4")"));
    with.reset();
}

TEST_F(ApiChatTest, StreamsEventsThatCanBeHadAgain) {
    const net::HttpResponse response = with_->post(stream_path, said("eva", "thing 4"));
    EXPECT_EQ(response.headers.at("content-type"), "text/event-stream");
    EXPECT_EQ(response.headers.at("cache-control"), "no-cache");
    EXPECT_EQ(response.headers.at("x-accel-buffering"), "no");
    const std::vector<Event> events = events_of(response.body);
    ASSERT_GE(events.size(), 4U) << response.body;
    EXPECT_EQ(events.front().type(), "thinking");
    EXPECT_EQ(events.at(1).type(), "processing");
    EXPECT_EQ(events.back().type(), "complete");
    EXPECT_EQ(events.back().data.at("progress").to_number<double>(), 1);
    EXPECT_THAT(std::string{events.back().data.at("message").as_string()}, HasSubstr("Producto 4"));

    const net::HttpResponse again =
        with_->post(stream_path, said("eva", "thing 4"), {"Last-Event-ID: " + events.at(1).id});
    const std::vector<Event> rest = events_of(again.body);
    ASSERT_EQ(rest.size(), events.size() - 2) << again.body;
    for (std::size_t i = 0; i < rest.size(); ++i) {
        EXPECT_EQ(rest[i].id, events[i + 2].id);
        EXPECT_EQ(rest[i].data, events[i + 2].data);
    }
    EXPECT_EQ(history_of("eva").at("total_messages"), json::value(2)) << "it was not answered twice";
}

TEST_F(ApiChatTest, GivesNobodyTheEventsOfAnother) {
    const std::vector<Event> events = events_of(with_->post(stream_path, said("ida", "thing 4")).body);
    const net::HttpResponse other = with_->post(stream_path, said("eve", "x"), {"Last-Event-ID: " + events.at(1).id});
    const std::vector<Event> told = events_of(other.body);
    ASSERT_EQ(told.size(), 1U) << other.body;
    EXPECT_EQ(told.front().type(), "error");
    EXPECT_EQ(with_->post(stream_path, said("eve", "x"), {"Last-Event-ID: 7"}).status, 400);
}

TEST_F(ApiChatTest, RefusesAMessageOfBlanks) {
    for (const auto* path : {message_path, stream_path}) {
        const net::HttpResponse refused = with_->post(path, said("uma", " \n"));
        EXPECT_EQ(refused.status, 422) << refused.body;
        EXPECT_THAT(refused.body, HasSubstr("/message has nothing but blanks"));
    }
}

TEST(ApiChatFaults, AStreamTellsWhatNobodyExpected) {
    test::ApiCase with;
    with.is_model_broken = true;
    const std::vector<Event> events =
        events_of(with.post(stream_path, R"({"user_id": "ana", "message": "thing 4"})").body);
    ASSERT_FALSE(events.empty());
    EXPECT_EQ(events.back().type(), "error");
    EXPECT_EQ(events.back().data.at("metadata").at("error"), "internal");
    EXPECT_THAT(std::string{events.back().data.at("message").as_string()}, testing::Not(HasSubstr("spoilt")));
    EXPECT_TRUE(test::eventually(10s, [&] {
        return with.catalog().value("SELECT string_agg(kind || error, ' ') FROM decant.search_events") ==
               "chatinternal";
    })) << "the quality's error rate knows of it";
}

TEST_F(ApiChatTest, KeepsTheSessionsOfUsersApart) {
    ASSERT_EQ(with_->post(message_path, R"({"user_id": "bob", "session_id": "s-1", "message": "hola"})").status, 200);
    EXPECT_EQ(with_->post(message_path, R"({"user_id": "eve", "session_id": "s-1", "message": "hola"})").status, 403);
    EXPECT_EQ(with_->get("/api/v1/chat/history?user_id=eve&session_id=s-1").status, 403);
    EXPECT_EQ(with_->get("/api/v1/chat/history?user_id=bob&session_id=s-1").status, 200);
}

TEST_F(ApiChatTest, SaysWhetherItCanAnswer) {
    const json::object health = body_of(with_->get("/api/v1/chat/health"));
    EXPECT_EQ(health.at("status"), "healthy");
    EXPECT_EQ(health.at("llm"), json::value(nullptr));
}

}  // namespace
}  // namespace decant::api
