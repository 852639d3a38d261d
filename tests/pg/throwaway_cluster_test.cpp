#include "tests/support/throwaway_cluster.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <string>

#include "pg/connection.hpp"

namespace decant::test {
namespace {

TEST(ThrowawayCluster, GivesEachTestADatabaseOfItsOwnWithTheExtension) {
    const std::string first = ThrowawayCluster::shared().create_database();
    const std::string second = ThrowawayCluster::shared().create_database();
    pg::Connection::open(first).exec("CREATE TABLE only_in_the_first (v vector(3))");
    EXPECT_TRUE(pg::Connection::open(second).exec("SELECT 1 FROM pg_tables WHERE tablename ~ 'only'").empty());
}

TEST(ThrowawayCluster, GivesABareDatabaseWithoutTheExtension) {
    auto db = pg::Connection::open(ThrowawayCluster::shared().create_bare_database());
    EXPECT_TRUE(db.exec("SELECT 1 FROM pg_extension WHERE extname = 'vector'").empty());
}

TEST(ThrowawayCluster, KeepsItsDataThroughAnImmediateRestart) {
    ThrowawayCluster cluster{{.is_durable = true}};
    const std::string conninfo = cluster.create_database();
    pg::Connection::open(conninfo).exec("CREATE TABLE kept AS SELECT 7 AS n");
    cluster.restart(ThrowawayCluster::Stop::immediate);
    EXPECT_EQ(pg::Connection::open(conninfo).exec("SELECT n FROM kept").integer(0, 0), 7);
}

TEST(ThrowawayCluster, GoesWithATestProcessThatIsKilled) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe(ends.data()), 0);
    const pid_t child = ::fork();
    if (child == 0) {
        ThrowawayCluster cluster;
        const std::string facts = std::to_string(cluster.postmaster_pid()) + " " + cluster.folder().string();
        if (::write(ends[1], facts.data(), facts.size()) > 0) ::raise(SIGKILL);
    }
    ::close(ends[1]);
    ::waitpid(child, nullptr, 0);
    std::array<char, 256> facts{};
    ASSERT_GT(::read(ends[0], facts.data(), facts.size() - 1), 0);
    ::close(ends[0]);
    const std::string text{facts.data()};
    const std::string folder = text.substr(text.find(' ') + 1);
    for (int tries = 0; std::filesystem::exists(folder) && tries < 1000; ++tries)
        ::usleep(10'000);
    EXPECT_FALSE(std::filesystem::exists(folder));
    EXPECT_FALSE(std::filesystem::exists("/proc/" + std::to_string(std::stoi(text)) + "/exe"));
}

}  // namespace
}  // namespace decant::test
