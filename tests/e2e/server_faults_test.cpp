#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <optional>
#include <string>

#include "core/error.hpp"
#include "tests/support/copy_case.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/slow_pages.hpp"
#include "tests/support/tcp_proxy.hpp"

namespace decant::test {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

std::string database_of(const std::string& conninfo) {
    return conninfo.substr(conninfo.rfind('=') + 1);
}

std::string root_of_whole_copy(const SyntheticChroma& source) {
    const DecantProgram decant{ThrowawayCluster::shared().create_database()};
    const Outcome whole =
        decant.run({"copy", "--from", source.path().string(), "--collection", "products", "--index", "none", "--json"});
    EXPECT_EQ(whole.exit_code, 0) << whole.told();
    return std::string{whole.json().at("root").as_string()};
}

/// Pages committed as a new connection sees them; none while the server takes no connections.
std::optional<std::int64_t> try_pages(const std::string& conninfo) {
    try {
        auto db = pg::Connection::open(conninfo);
        return pages_committed(db);
    } catch (const Error&) {
        return std::nullopt;
    }
}

/// Restarts the server `restarts` times while one copy runs; the longest time from the server's return to the next
/// page.
double restart_in_mid_copy(ThrowawayCluster::Stop mode, int restarts) {
    ThrowawayCluster cluster{{.is_durable = true}};
    CopyCase with{{}, cluster.create_database()};
    with.source().put_samples(0, 3'000);
    auto db = with.open();
    slow_down_pages(db, "0.03");
    RunningDecant running = with.decant().start(
        with.copy_arguments({"--index", "none", "--batch-size", std::to_string(3'000 / (restarts * 8))}));
    double longest_gap = 0;
    for (int restart = 1; restart <= restarts; ++restart) {
        EXPECT_TRUE(eventually(30s, [&] {
            return running.has_ended() || try_pages(with.decant().conninfo()).value_or(0) >= restart * 5;
        })) << running.err();
        cluster.restart(mode);
        const auto ready = Clock::now();
        const std::int64_t kept = try_pages(with.decant().conninfo()).value_or(0);
        EXPECT_TRUE(eventually(30s, [&] {
            return running.has_ended() || try_pages(with.decant().conninfo()).value_or(0) > kept;
        })) << running.err();
        longest_gap = std::max(longest_gap, std::chrono::duration<double>(Clock::now() - ready).count());
    }
    const Outcome outcome = running.wait();
    EXPECT_EQ(outcome.exit_code, 0) << outcome.told();
    EXPECT_THAT(outcome.err, testing::HasSubstr("trying again"));
    if (outcome.exit_code == 0) {
        expect_counts_add_up(outcome.json().as_object());
        EXPECT_EQ(count_of(outcome.json().as_object(), "copied"), 3'000U);
        EXPECT_EQ(std::string{outcome.json().at("root").as_string()}, root_of_whole_copy(with.source()));
    }
    EXPECT_EQ(with.verify("source").exit_code, 0);
    EXPECT_EQ(with.verify("digests").exit_code, 0);
    return longest_gap;
}

TEST(ServerRestart, M4_ACopyGoesOnByItselfAfterAFastRestart) {
    EXPECT_LE(restart_in_mid_copy(ThrowawayCluster::Stop::fast, 2), 5.0);
}

TEST(ServerRestart, M4_ACopyGoesOnByItselfAfterAnImmediateRestart) {
    EXPECT_LE(restart_in_mid_copy(ThrowawayCluster::Stop::immediate, 2), 5.0);
}

TEST(LongServerRestart, M4_NothingIsLostInTwentyRestarts) {
    double longest = 0;
    for (const auto mode : {ThrowawayCluster::Stop::fast, ThrowawayCluster::Stop::immediate}) {
        longest = std::max(longest, restart_in_mid_copy(mode, 10));
    }
    EXPECT_LE(longest, 5.0);
    fmt::print(
        "20 restarts in mid-COPY (10 fast, 10 immediate): the next page at most {:.2f} s after the server was "
        "ready\n",
        longest);
}

struct Cuts {
    int at_commits = 0;
    int notes_of_doubt = 0;
};

/// Copies through a proxy that loses the connection at every third COMMIT until it has done so `wanted` times: before
/// the server gets it, just after, and after the server's answer, in turn.
Cuts cut_at_commits(int wanted) {
    const ThrowawayCluster& cluster = ThrowawayCluster::shared();
    const std::string direct = ThrowawayCluster::shared().create_database();
    std::atomic<int> commits{0};
    std::atomic<int> cuts{0};
    const TcpProxy proxy{cluster.folder() / fmt::format(".s.PGSQL.{}", cluster.port()),
                         {.from_client =
                              [&](std::string& bytes) {
                                  if (!holds_statement(bytes, "COMMIT") || cuts >= wanted)
                                      return TcpProxy::Action::pass;
                                  if (++commits % 3 != 0) return TcpProxy::Action::pass;
                                  constexpr std::array ways{TcpProxy::Action::drop, TcpProxy::Action::pass_and_cut,
                                                            TcpProxy::Action::answer_unseen};
                                  return ways[static_cast<std::size_t>(cuts++) % ways.size()];
                              },
                          .from_server = {}}};
    CopyCase with{{.dimension = 8}, proxy.conninfo(database_of(direct))};
    const auto rows = static_cast<std::uint64_t>(wanted) * 40;
    with.source().put_samples(0, rows);
    const Outcome outcome = with.copy({"--index", "none", "--batch-size", "10"});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.told();
    if (outcome.exit_code == 0) {
        const boost::json::object report = outcome.json().as_object();
        expect_counts_add_up(report);
        EXPECT_EQ(count_of(report, "copied"), rows);
        EXPECT_EQ(std::string{report.at("root").as_string()}, root_of_whole_copy(with.source()));
    }
    EXPECT_EQ(with.verify("source").exit_code, 0);
    EXPECT_EQ(with.verify("digests").exit_code, 0);
    EXPECT_EQ(pg::Connection::open(direct).exec("SELECT sum(rows) FROM decant.pages").text(0, 0), std::to_string(rows));
    Cuts found{.at_commits = cuts};
    for (std::size_t at = 0; (at = outcome.err.find("commit_in_doubt", at)) != std::string::npos; ++at)
        ++found.notes_of_doubt;
    return found;
}

TEST(LostCommit, M6_TheCheckpointTellsWhetherAPageWasCommitted) {
    const Cuts cuts = cut_at_commits(9);
    EXPECT_EQ(cuts.at_commits, 9);
    EXPECT_GE(cuts.notes_of_doubt, 1);
}

TEST(LongLostCommit, M6_NothingIsLostOrDoubledInAHundredCuts) {
    const Cuts cuts = cut_at_commits(100);
    EXPECT_EQ(cuts.at_commits, 100);
    fmt::print("{} connections cut at COMMIT, {} of them of a page whose outcome was asked of the checkpoint\n",
               cuts.at_commits, cuts.notes_of_doubt);
}

}  // namespace
}  // namespace decant::test
