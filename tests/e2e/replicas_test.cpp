// Two hot standbys answer searches under load while one after the other is killed, stands still and falls behind.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <filesystem>

#include "tests/support/eventually.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/search_load.hpp"
#include "tests/support/serve_case.hpp"
#include "tests/support/standby_pair.hpp"

namespace decant::test {
namespace {

using namespace std::chrono_literals;

class LongReplicas : public testing::Test {
protected:
    ServedDecant serve() const { return with_.serve({"DB_READ_HOSTS=" + servers_.hosts(), "DB_READ_LAG_SECONDS=2"}); }
    static std::string series(const std::string& name, const ThrowawayCluster& cluster) {
        return fmt::format("\n{}{{replica=\"{}\"}} ", name, StandbyPair::host_of(cluster));
    }
    static double value_of(const ServedDecant& server, const std::string& series) {
        RawClient client{server.port()};
        client.send("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
        const auto answer = client.read_answer();
        if (!answer) return -1;
        const std::size_t at = answer->body.find(series);
        return at == std::string::npos ? -1 : std::stod(answer->body.substr(at + series.size()));
    }
    static bool is_used(const ServedDecant& server, const ThrowawayCluster& cluster) {
        return value_of(server, series("decant_replica_used", cluster)) == 1;
    }
    static double answers_of(const ServedDecant& server, const ThrowawayCluster& cluster) {
        return value_of(server,
                        fmt::format("\ndecant_search_answers_total{{server=\"{}\"}} ", StandbyPair::host_of(cluster)));
    }
    static void expect_used(const ServedDecant& server, const ThrowawayCluster& cluster, bool wanted) {
        EXPECT_TRUE(eventually(60s, [&] { return is_used(server, cluster) == wanted; }));
    }
    /// The cluster is given searches, and answers some.
    static void expect_answers(const ServedDecant& server, const ThrowawayCluster& cluster) {
        expect_used(server, cluster, true);
        const double before = answers_of(server, cluster);
        EXPECT_TRUE(eventually(60s, [&] { return answers_of(server, cluster) > before + 20; }));
    }

    StandbyPair servers_;
    ServeCase with_{servers_.primary};
};

TEST_F(LongReplicas, P1_NoSearchFailsWhileStandbysDieStandStillFallBehindAndComeBack) {
    const ServedDecant server = serve();
    expect_used(server, servers_.first, true);
    expect_used(server, servers_.second, true);
    SearchLoad load{server.port(), 8};
    for (int round = 0; round < 2; ++round) {
        const std::string process = fmt::format("/proc/{}", servers_.first.postmaster_pid());
        signal_all(servers_.first, SIGKILL);
        expect_used(server, servers_.first, false);
        // Until init has reaped it, its pid file and socket count as those of a server that runs.
        ASSERT_TRUE(eventually(120s, [&] { return !std::filesystem::exists(process); }));
        servers_.first.restart(ThrowawayCluster::Stop::fast);
        expect_answers(server, servers_.first);

        signal_all(servers_.second, SIGSTOP);
        expect_used(server, servers_.second, false);
        signal_all(servers_.second, SIGCONT);
        expect_answers(server, servers_.second);

        StandbyPair::exec(servers_.first, "SELECT pg_wal_replay_pause()");
        with_.catalog().exec("UPDATE products SET price = price + 1");
        expect_used(server, servers_.first, false);
        StandbyPair::exec(servers_.first, "SELECT pg_wal_replay_resume()");
        expect_answers(server, servers_.first);
    }
    std::vector<double> milliseconds;
    for (const LoadSample& sample : load.stop()) {
        EXPECT_EQ(sample.status, 200) << sample.milliseconds << " ms: " << sample.body;
        milliseconds.push_back(sample.milliseconds);
    }
    EXPECT_LT(std::ranges::max(milliseconds), 15'000);
    fmt::print(
        "Standbys killed, stopped and paused twice under load: {} searches, none failed, the slowest in {:.0f} ms\n",
        milliseconds.size(), std::ranges::max(milliseconds));
}

TEST_F(LongReplicas, P1_SearchesGoOnWhileThePrimaryIsAway) {
    const ServedDecant server = serve();
    expect_used(server, servers_.first, true);
    expect_used(server, servers_.second, true);
    servers_.primary.stop(ThrowawayCluster::Stop::immediate);
    SearchLoad load{server.port(), 4};
    EXPECT_TRUE(eventually(30s, [&] { return load.answered() > 200; }));
    for (const LoadSample& sample : load.stop())
        EXPECT_EQ(sample.status, 200) << sample.body;
    servers_.primary.restart(ThrowawayCluster::Stop::fast);
}

}  // namespace
}  // namespace decant::test
