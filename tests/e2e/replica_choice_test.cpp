// Which of two hot standbys is asked: how far behind, dead, standing still, or without what its caller wrote.

#include "api/replicas.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <future>
#include <set>

#include "tests/support/eventually.hpp"
#include "tests/support/standby_pair.hpp"

namespace decant::api {
namespace {

using namespace std::chrono_literals;
using test::eventually;
using test::StandbyPair;
using test::ThrowawayCluster;

constexpr LagLimits wide{.bytes = 1ULL << 40U, .seconds = 86'400};

class LongReplicaChoice : public testing::Test {
protected:
    static void SetUpTestSuite() {
        servers_ = new StandbyPair;
        StandbyPair::exec(servers_->primary, "CREATE TABLE written (t text)");
    }
    static void TearDownTestSuite() { delete servers_; }
    ~LongReplicaChoice() override { servers_->resume_both(); }

    void watch(const LagLimits& limits) {
        std::vector<store::ReplicaAddress> addresses;
        for (const ThrowawayCluster* cluster : {&servers_->first, &servers_->second})
            addresses.push_back({.name = StandbyPair::host_of(*cluster), .conninfo = cluster->conninfo()});
        replicas_ = std::make_unique<Replicas>(
            Replicas::Setup{.primary = servers_->primary.conninfo(), .addresses = addresses, .limits = limits});
        ASSERT_TRUE(eventually(20s, [&] { return used() == 2; }));
    }
    int used() const {
        int count = 0;
        for (const ServerState::Replica& replica : replicas_->states())
            count += replica.is_used ? 1 : 0;
        return count;
    }
    ServerState::Replica state_of(std::size_t number) const { return replicas_->states().at(number); }
    /// Whoever is asked four times in a row.
    std::set<std::string> asked(const std::string& caller = "ana") const {
        std::set<std::string> names;
        for (int turn = 0; turn < 4; ++turn) {
            const ReplicaWatch* replica = replicas_->choose(caller);
            names.insert(replica == nullptr ? "primary" : replica->name());
        }
        return names;
    }
    static void write(const std::string& sql = "INSERT INTO written VALUES ('x')") {
        StandbyPair::exec(servers_->primary, sql);
    }
    void note_write(const std::string& caller) const {
        pg::Connection db = pg::Connection::open(servers_->primary.conninfo());
        replicas_->note_write(caller, [&]() -> pg::Connection& { return db; });
    }

    static inline StandbyPair* servers_ = nullptr;
    std::string first_ = StandbyPair::host_of(servers_->first);
    std::string second_ = StandbyPair::host_of(servers_->second);
    std::unique_ptr<Replicas> replicas_;
};

TEST_F(LongReplicaChoice, P1_TakeTurns) {
    watch(wide);
    EXPECT_THAT(asked(), testing::UnorderedElementsAre(first_, second_));
}

TEST_F(LongReplicaChoice, P1_OneThatIsTooManyBytesBehindIsLeftAndComesBack) {
    watch({.bytes = 64U << 10U, .seconds = 86'400});
    StandbyPair::exec(servers_->first, "SELECT pg_wal_replay_pause()");
    write("INSERT INTO written SELECT repeat(md5(i::text), 30) FROM generate_series(1, 1000) i");
    ASSERT_TRUE(eventually(20s, [&] { return !state_of(0).is_used; }));
    EXPECT_GT(state_of(0).lag_bytes, 64U << 10U);
    EXPECT_EQ(state_of(0).left_behind, 1U);
    EXPECT_TRUE(eventually(20s, [&] { return asked() == std::set{second_}; }));
    StandbyPair::exec(servers_->first, "SELECT pg_wal_replay_resume()");
    ASSERT_TRUE(eventually(20s, [&] { return state_of(0).is_used; }));
    EXPECT_EQ(state_of(0).returned, 1U);
    EXPECT_TRUE(eventually(20s, [&] { return asked().size() == 2; }));
}

TEST_F(LongReplicaChoice, P1_OneThatIsTooManySecondsBehindIsLeftHoweverLittleWasWritten) {
    watch({.bytes = wide.bytes, .seconds = 1});
    StandbyPair::exec(servers_->first, "SELECT pg_wal_replay_pause()");
    write();
    ASSERT_TRUE(eventually(20s, [&] { return state_of(0).left_behind == 1; }));
    EXPECT_LT(state_of(0).lag_bytes, 64U << 10U);
    EXPECT_TRUE(state_of(1).is_used);
}

TEST_F(LongReplicaChoice, P1_WhoWroteIsGivenAReplicaOnlyOnceItHasTheWrite) {
    watch(wide);
    servers_->pause_both();
    write();
    note_write("ana");
    EXPECT_EQ(asked("ana"), std::set<std::string>{"primary"});
    EXPECT_THAT(asked("luis"), testing::UnorderedElementsAre(first_, second_));
    StandbyPair::exec(servers_->second, "SELECT pg_wal_replay_resume()");
    EXPECT_TRUE(eventually(20s, [&] { return asked("ana") == std::set{second_}; }));
}

TEST_F(LongReplicaChoice, P1_WhoseWriteHasNoKnownPlaceStaysOnThePrimary) {
    watch(wide);
    replicas_->note_write(
        "ana", []() -> pg::Connection& { throw Error{ErrorCode::store_unavailable, "The database is away", ""}; });
    EXPECT_EQ(asked("ana"), std::set<std::string>{"primary"});
    EXPECT_EQ(asked("luis").size(), 2U);
}

TEST_F(LongReplicaChoice, P1_OneThatDiesIsLeftAtTheFirstFailureAndComesBack) {
    watch(wide);
    ReplicaWatch* first = replicas_->choose("ana");
    if (first->name() != first_) first = replicas_->choose("ana");
    const auto connection = first->connect();
    servers_->first.stop(ThrowawayCluster::Stop::immediate);
    try {
        connection->db().exec("SELECT 1");
        FAIL() << "the server is gone";
    } catch (const Error& error) {
        first->report_failure(connection->generation(), error);
    }
    EXPECT_EQ(asked(), std::set{second_});
    EXPECT_EQ(state_of(0).left_away, 1U);
    servers_->first.restart(ThrowawayCluster::Stop::fast);
    EXPECT_TRUE(eventually(20s, [&] { return asked().size() == 2; }));
    EXPECT_EQ(state_of(0).returned, 1U);
}

TEST_F(LongReplicaChoice, P1_WhatWaitsForOneThatStandsStillIsCut) {
    watch(wide);
    ReplicaWatch* replica = replicas_->choose("ana");
    const ThrowawayCluster& server = replica->name() == first_ ? servers_->first : servers_->second;
    const auto connection = replica->connect();
    test::signal_all(server, SIGSTOP);
    auto waiting = std::async(std::launch::async, [&] { connection->db().exec("SELECT 1"); });
    const bool is_over = waiting.wait_for(15s) == std::future_status::ready;
    test::signal_all(server, SIGCONT);
    EXPECT_TRUE(is_over);
    EXPECT_THROW(waiting.get(), Error);
    EXPECT_TRUE(eventually(20s, [&] { return used() == 2; }));
    EXPECT_NE(connection->generation(), replica->generation());
}

TEST_F(LongReplicaChoice, P1_AServerThatIsNoStandbyIsNotAsked) {
    replicas_ = std::make_unique<Replicas>(
        Replicas::Setup{.primary = servers_->primary.conninfo(),
                        .addresses = {{.name = "primary itself", .conninfo = servers_->primary.conninfo()},
                                      {.name = first_, .conninfo = servers_->first.conninfo()}}});
    ASSERT_TRUE(eventually(20s, [&] { return state_of(1).is_used; }));
    EXPECT_EQ(asked(), std::set{first_});
}

}  // namespace
}  // namespace decant::api
