#include "chat/turn_keeper.hpp"

#include <gtest/gtest.h>

#include <optional>

#include "chat/session_store.hpp"
#include "core/error.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/schema_case.hpp"

namespace decant::chat {
namespace {

using namespace std::chrono_literals;
using test::eventually;

class TurnsOfChat : public testing::Test {
protected:
    /// Seconds until somebody else may answer.
    int left() const {
        return std::stoi(with_.value("SELECT ceil(extract(epoch FROM turn_until - now())) FROM decant.chat_sessions"));
    }
    void forget_lease() const {
        with_.exec("UPDATE decant.chat_sessions SET turn_until = now() + interval '1 second'");
    }

    test::SchemaCase with_;
    pg::Connection db_ = with_.open();
    SessionStore store_{db_, TurnKeeper::lease};
    SessionKey ana_{.session_id = "s", .user_id = "ana"};
};

TEST_F(TurnsOfChat, AreOverHalfAMinuteAfterTheirProcessIsGone) {
    store_.begin(ana_, 1s);
    EXPECT_GT(left(), 25);
    EXPECT_LE(left(), 30);
}

TEST_F(TurnsOfChat, AreRenewedAsLongAsTheyAreHeld) {
    const Turn turn = store_.begin(ana_, 1s);
    TurnKeeper keeper{with_.decant().conninfo(), 10ms};
    keeper.hold(turn.token);
    for (int times = 0; times < 2; ++times) {
        forget_lease();
        EXPECT_TRUE(eventually(10s, [&] { return left() > 25; }));
    }
    keeper.release(turn.token);
    EXPECT_TRUE(store_.finish(turn, {.human = "a", .ai = "b", .state = {}}));
}

TEST_F(TurnsOfChat, AreNotRenewedOnceTheyAreReleasedOrAnotherHasThem) {
    const Turn gone = store_.begin(ana_, 1s);
    TurnKeeper keeper{with_.decant().conninfo(), 10ms};
    keeper.hold(gone.token);
    forget_lease();
    ASSERT_TRUE(eventually(10s, [&] { return left() > 25; }));
    keeper.release(gone.token);
    std::optional<Turn> next;  // a renewal that was under way may come once more
    EXPECT_TRUE(eventually(10s, [&] {
        with_.exec("UPDATE decant.chat_sessions SET turn_until = now() - interval '1 second'");
        try {
            next = store_.begin(ana_, 1ms);
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ErrorCode::busy);
        }
        return next.has_value();
    }));
    EXPECT_FALSE(store_.finish(gone, {.human = "a", .ai = "b", .state = {}}));
    EXPECT_TRUE(store_.finish(next.value(), {.human = "a", .ai = "b", .state = {}}));
}

TEST_F(TurnsOfChat, AreHeldAgainWhenTheDatabaseWasAway) {
    const Turn turn = store_.begin(ana_, 1s);
    TurnKeeper keeper{with_.decant().conninfo(), 10ms};
    keeper.hold(turn.token);
    forget_lease();
    ASSERT_TRUE(eventually(10s, [&] { return left() > 25; }));
    EXPECT_EQ(with_.value("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = "
                          "current_database() AND pid <> pg_backend_pid() AND query LIKE "
                          "'UPDATE decant.chat_sessions SET turn_until = pg_catalog.now()%ANY%'"),
              "1");
    forget_lease();
    EXPECT_TRUE(eventually(10s, [&] { return left() > 25; }));
}

}  // namespace
}  // namespace decant::chat
