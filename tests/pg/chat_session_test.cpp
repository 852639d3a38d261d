#include "chat/session_store.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "tests/support/schema_case.hpp"

namespace decant::chat {
namespace {

using namespace std::chrono_literals;
using testing::IsEmpty;
using testing::SizeIs;

class ChatSessions : public testing::Test {
protected:
    void talk(const std::string& human, const std::string& ai) {
        EXPECT_TRUE(store_.finish(store_.begin(ana_, 1s), {.human = human, .ai = ai, .state = {{"n", 1}}}));
    }
    static ErrorCode code_of(const std::function<void()>& act) {
        try {
            act();
        } catch (const Error& error) {
            return error.code();
        }
        return ErrorCode::internal;
    }

    static inline const std::string message_ = "6d7f4a52-5d41-4d2b-9d10-0a4c0e4a8f11";
    test::SchemaCase with_;
    pg::Connection db_ = with_.open();
    SessionStore store_{db_};
    SessionKey ana_{.session_id = "s", .user_id = "ana"};
    SessionKey eva_{.session_id = "s", .user_id = "eva"};
};

TEST_F(ChatSessions, GiveTheLastMessagesTheOldestFirst) {
    talk("uno", "dos");
    talk("tres\n\"'", "cuatro");
    const History all = store_.history(ana_, 50);
    ASSERT_THAT(all.messages, SizeIs(4));
    EXPECT_EQ(all.messages.front().content, "uno");
    EXPECT_EQ(all.messages.front().type, "human");
    EXPECT_EQ(all.messages[2].content, "tres\n\"'");
    EXPECT_THAT(all.messages.back().timestamp, testing::MatchesRegex("....-..-..T..:..:..\\.......Z"));
    const History last = store_.history(ana_, 1);
    ASSERT_THAT(last.messages, SizeIs(1));
    EXPECT_EQ(last.messages.front().content, "cuatro");
    EXPECT_EQ(last.total, 4U);
}

TEST_F(ChatSessions, RememberTheirStateFromTurnToTurn) {
    EXPECT_THAT(store_.begin(ana_, 1s).state, IsEmpty());
    with_.exec("UPDATE decant.chat_sessions SET turn_until = now() - interval '1 second'");
    talk("a", "b");
    const Turn turn = store_.begin(ana_, 1s);
    EXPECT_EQ(turn.state.at("n").as_int64(), 1);
    EXPECT_THAT(turn.conversation_id, SizeIs(36));
}

TEST_F(ChatSessions, AreAnsweredByOneAtATimeAndGivenOnAfterADeadOne) {
    const Turn dead = store_.begin(ana_, 1s);
    EXPECT_EQ(code_of([&] { store_.begin(ana_, 1ms); }), ErrorCode::busy);
    with_.exec("UPDATE decant.chat_sessions SET turn_until = now() - interval '1 second'");
    const Turn next = store_.begin(ana_, 1s);
    EXPECT_FALSE(store_.finish(dead, {.human = "x", .ai = "y", .state = {}}));
    EXPECT_FALSE(store_.abandon(dead));
    EXPECT_TRUE(store_.abandon(next));
    EXPECT_THAT(store_.history(ana_, 50).messages, IsEmpty());
}

TEST_F(ChatSessions, AreHiddenFromOtherUsers) {
    talk("a", "b");
    EXPECT_EQ(code_of([&] { store_.begin(eva_, 1s); }), ErrorCode::forbidden);
    EXPECT_EQ(code_of([&] { store_.history(eva_, 50); }), ErrorCode::forbidden);
    EXPECT_EQ(code_of([&] { store_.remove(eva_); }), ErrorCode::forbidden);
    EXPECT_THAT(store_.history({.session_id = "none", .user_id = "eva"}, 50).messages, IsEmpty());
}

TEST_F(ChatSessions, AreReallyRemovedAlsoWhileTheyAreAnswered) {
    talk("a", "b");
    const Turn turn = store_.begin(ana_, 1s);
    EXPECT_TRUE(store_.append_event(ana_, message_, {.seq = 1, .payload = "x"}));
    EXPECT_TRUE(store_.remove(ana_));
    EXPECT_FALSE(store_.remove(ana_));
    EXPECT_FALSE(store_.finish(turn, {.human = "x", .ai = "y", .state = {}}));
    EXPECT_EQ(with_.value("SELECT (SELECT count(*) FROM decant.chat_messages) + (SELECT count(*) FROM "
                          "decant.chat_events) + (SELECT count(*) FROM decant.chat_sessions)"),
              "0");
}

TEST_F(ChatSessions, AreForgottenByUser) {
    talk("a", "b");
    store_.begin({.session_id = "t", .user_id = "ana"}, 1s);
    store_.begin({.session_id = "u", .user_id = "eva"}, 1s);
    EXPECT_EQ(store_.forget("ana"), 2U);
    EXPECT_EQ(store_.forget("ana"), 0U);
    EXPECT_EQ(with_.value("SELECT string_agg(user_id, ',') FROM decant.chat_sessions"), "eva");
}

TEST_F(ChatSessions, ArePrunedByTheAgeOfTheirLastMessage) {
    talk("a", "b");
    with_.exec("UPDATE decant.chat_sessions SET updated_at = now() - interval '91 days'");
    store_.begin({.session_id = "t", .user_id = "ana"}, 1s);
    EXPECT_EQ(store_.prune(0), 0U);
    EXPECT_EQ(store_.prune(90), 1U);
    EXPECT_EQ(with_.value("SELECT string_agg(session_id, ',') FROM decant.chat_sessions"), "t");
}

TEST_F(ChatSessions, KeepEventsForFiveMinutesForTheirOwner) {
    talk("a", "b");
    for (std::int64_t seq = 1; seq <= 3; ++seq)
        EXPECT_TRUE(store_.append_event(ana_, message_, {.seq = seq, .payload = fmt::format("{{\"n\":{}}}", seq)}));
    EXPECT_FALSE(store_.append_event(eva_, message_, {.seq = 4, .payload = "x"}));
    const std::vector<StoredEvent> events = store_.events_after(ana_, message_, 1);
    ASSERT_THAT(events, SizeIs(2));
    EXPECT_EQ(events.front().payload, "{\"n\":2}");
    EXPECT_THAT(store_.events_after(eva_, message_, 0), IsEmpty());
    with_.exec("UPDATE decant.chat_events SET created_at = now() - interval '6 minutes' WHERE seq = 2");
    EXPECT_THAT(store_.events_after(ana_, message_, 1), SizeIs(1));
    store_.prune(0);
    EXPECT_EQ(with_.value("SELECT count(*) FROM decant.chat_events"), "2");
}

TEST_F(ChatSessions, AreMissedWhereTheMigrationWasNotApplied) {
    with_.exec("DROP TABLE decant.chat_sessions CASCADE");
    EXPECT_EQ(code_of([&] { SessionStore{db_}; }), ErrorCode::not_found);
}

}  // namespace
}  // namespace decant::chat
