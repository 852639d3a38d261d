#include "store/local_cluster.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <future>
#include <list>

#include "core/error.hpp"
#include "pg/connection.hpp"
#include "store/postmaster.hpp"
#include "tests/support/scratch_folder.hpp"

namespace decant::store {
namespace {

namespace fs = std::filesystem;

/// A project of its own in a temporary folder; its server goes with the test.
class LocalClusterTest : public testing::Test {
protected:
    void SetUp() override {
        // The server's account must be able to pass through.
        fs::permissions(folder_, fs::perms::owner_all | fs::perms::group_exec | fs::perms::others_exec);
    }
    void TearDown() override {
        for (LocalCluster& cluster : made_)
            cluster.destroy();
        fs::remove_all(folder_);
    }

    LocalCluster& make(const std::string& name) {
        ClusterPlace place = find_cluster_place((folder_ / name).string(), folder_);
        if (place.cluster != place.home) place.cluster = folder_ / (name + ".server");
        const char* named = std::getenv("DECANT_POSTGRES_DIR");
        return made_.emplace_back(place, named == nullptr ? std::nullopt : std::optional<std::string>{named});
    }

    fs::path folder_ = test::make_scratch_folder("local");
    std::list<LocalCluster> made_;
};

std::string text_of(const std::string& conninfo, const char* sql) {
    auto db = pg::Connection::open(conninfo);
    return std::string{db.exec(sql).text(0, 0)};
}

std::string password_in(const fs::path& file) {
    std::string line;
    std::ifstream stream{file};
    std::getline(stream, line);
    return line.substr(line.rfind(':') + 1);
}

TEST_F(LocalClusterTest, StartsWithTheDatabaseAndTheExtension) {
    const ClusterAddress address = make("home").start();
    EXPECT_EQ(text_of(address.conninfo(), "SELECT current_database()"), "aynux");
    EXPECT_EQ(text_of(address.conninfo(), "SELECT count(*) FROM pg_extension WHERE extname = 'vector'"), "1");
    EXPECT_EQ(text_of(address.conninfo(), "SELECT oid >= 16384 FROM pg_extension WHERE extname = 'vector'"), "t")
        << "pg_dump would leave it out";
}

TEST_F(LocalClusterTest, IsTheSameServerWhenItIsStartedAgain) {
    LocalCluster& cluster = make("home");
    EXPECT_EQ(cluster.start().pid, cluster.start().pid);
}

TEST_F(LocalClusterTest, AsksForThePasswordOn127001AndKeepsItForTheOwnerAlone) {
    const ClusterAddress address = make("home").start();
    EXPECT_EQ(fs::status(address.password_file).permissions(), fs::perms::owner_read | fs::perms::owner_write);
    const std::string tcp =
        fmt::format("host=127.0.0.1 port={} user=postgres dbname=aynux passfile=/dev/null", address.port);
    EXPECT_THROW(pg::Connection::open(tcp), Error);
    EXPECT_THROW(pg::Connection::open(tcp + " password=wrong"), Error);
    EXPECT_EQ(text_of(tcp + " password=" + password_in(address.password_file), "SELECT 7"), "7");
    EXPECT_EQ(text_of(fmt::format("host=127.0.0.1 port={} user=postgres dbname=aynux passfile='{}'", address.port,
                                  address.password_file.string()),
                      "SELECT 7"),
              "7");
}

TEST_F(LocalClusterTest, KeepsItsDataAndPortOverARestart) {
    LocalCluster& cluster = make("home");
    const ClusterAddress before = cluster.start();
    pg::Connection::open(before.conninfo()).exec("CREATE TABLE kept AS SELECT 7 AS n");
    EXPECT_TRUE(cluster.stop());
    EXPECT_FALSE(cluster.find());
    EXPECT_FALSE(cluster.stop());
    const ClusterAddress after = cluster.start();
    EXPECT_EQ(after.port, before.port);
    EXPECT_EQ(text_of(after.conninfo(), "SELECT n FROM kept"), "7");
}

TEST_F(LocalClusterTest, SurvivesKill9OfTheServerWithASessionOpen) {
    LocalCluster& cluster = make("home");
    const ClusterAddress before = cluster.start();
    auto session = pg::Connection::open(before.conninfo());
    session.exec("CREATE TABLE kept AS SELECT 7 AS n; CHECKPOINT");
    // A stopped backend outlives its postmaster, which a new one would not stand.
    ASSERT_EQ(::kill(session.backend_pid(), SIGSTOP), 0);
    ASSERT_EQ(::kill(before.pid, SIGKILL), 0);
    while (find_postmaster(cluster.place().data()))
        ::usleep(1000);
    EXPECT_EQ(text_of(cluster.start().conninfo(), "SELECT n FROM kept"), "7");
}

TEST_F(LocalClusterTest, IsNotTakenInByAStalePidOfAnotherProgram) {
    LocalCluster& cluster = make("home");
    const ClusterAddress before = cluster.start();
    std::ifstream stream{cluster.place().data() / "postmaster.pid"};
    std::string lines{std::istreambuf_iterator<char>{stream}, {}};
    cluster.stop();
    lines.replace(0, lines.find('\n'), std::to_string(::getpid()));
    std::ofstream{cluster.place().data() / "postmaster.pid"} << lines;
    EXPECT_FALSE(cluster.find());
    EXPECT_EQ(cluster.start().port, before.port);
}

TEST_F(LocalClusterTest, StartsAfterKill9AtAnyPointOfTheFirstStart) {
    LocalCluster& cluster = make("home");
    for (const int after_ms : {20, 150, 300, 450, 550, 650}) {
        const pid_t child = ::fork();
        if (child == 0) {
            try {
                cluster.start();
            } catch (const Error&) {
                ::_exit(1);
            }
            ::_exit(0);
        }
        ::usleep(static_cast<useconds_t>(after_ms) * 1000);
        ::kill(child, SIGKILL);
        ::waitpid(child, nullptr, 0);
    }
    EXPECT_EQ(text_of(cluster.start().conninfo(), "SELECT '[1,2]'::vector"), "[1,2]");
}

TEST_F(LocalClusterTest, IsStartedOnceByProcessesThatStartItTogether) {
    LocalCluster& cluster = make("home");
    auto other = std::async(std::launch::async, [&] { return cluster.start().pid; });
    EXPECT_EQ(cluster.start().pid, other.get());
}

TEST_F(LocalClusterTest, DoesNotMeetTheServerOfAnotherProject) {
    const ClusterAddress one = make("one").start();
    const ClusterAddress two = make("two").start();
    pg::Connection::open(one.conninfo()).exec("CREATE TABLE only_in_one (n int)");
    EXPECT_NE(one.port, two.port);
    EXPECT_EQ(text_of(two.conninfo(), "SELECT count(*) FROM pg_tables WHERE tablename = 'only_in_one'"), "0");
}

TEST_F(LocalClusterTest, DoesNotTakeTheServerOfACopiedFolderForItsOwn) {
    LocalCluster& one = make("one");
    const ClusterAddress first = one.start();
    LocalCluster& two = make("two");
    make_folders(two.place());
    ASSERT_EQ(
        std::system(fmt::format("cp -a '{}' '{}'", one.place().data().string(), two.place().data().string()).c_str()),
        0);
    EXPECT_FALSE(two.find());
    EXPECT_NE(two.start().pid, first.pid);
    EXPECT_EQ(text_of(first.conninfo(), "SELECT 7"), "7");
}

TEST_F(LocalClusterTest, TakesAnotherPortWhenItsOwnIsTaken) {
    LocalCluster& one = make("one");
    const int port = one.start().port;
    one.stop();
    LocalCluster& two = make("two");
    make_folders(two.place());
    std::ofstream{two.place().pgpass()} << "127.0.0.1:" << port << ":*:decant:00ff\n";
    EXPECT_EQ(two.start().port, port);
    const ClusterAddress moved = one.start();
    EXPECT_NE(moved.port, port);
    EXPECT_EQ(text_of(fmt::format("host=127.0.0.1 port={} user=postgres dbname=aynux passfile='{}'", moved.port,
                                  moved.password_file.string()),
                      "SELECT 7"),
              "7");
}

TEST_F(LocalClusterTest, SetsANewPasswordWhenThePasswordFileIsLost) {
    LocalCluster& cluster = make("home");
    const ClusterAddress before = cluster.start();
    const std::string lost = password_in(before.password_file);
    fs::remove(before.password_file);
    cluster.start();
    EXPECT_NE(password_in(before.password_file), lost);
}

TEST_F(LocalClusterTest, PutsItsSocketElsewhereWhenThePathWouldBeTooLong) {
    LocalCluster& cluster = make(std::string(90, 'x') + "'q");
    const ClusterAddress address = cluster.start();
    EXPECT_EQ(text_of(address.conninfo(), "SELECT 7"), "7");
    EXPECT_EQ(fs::status(address.socket_folder).permissions(), fs::perms::owner_all);
    cluster.stop();
    EXPECT_FALSE(fs::exists(address.socket_folder));
}

TEST_F(LocalClusterTest, LeavesNothingWhenItIsDestroyed) {
    LocalCluster& cluster = make("home");
    const ClusterAddress address = cluster.start();
    cluster.destroy();
    EXPECT_FALSE(fs::exists(cluster.place().data()));
    EXPECT_FALSE(fs::exists(address.password_file));
    EXPECT_FALSE(cluster.find());
}

TEST_F(LocalClusterTest, NamesADataFolderThatIsNone) {
    LocalCluster& cluster = make("home");
    make_folders(cluster.place());
    fs::create_directory(cluster.place().data());
    std::ofstream{cluster.place().data() / "notes.txt"} << "mine";
    try {
        cluster.start();
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::conflict);
    }
    EXPECT_TRUE(fs::exists(cluster.place().data() / "notes.txt"));
}

TEST_F(LocalClusterTest, LeavesNothingBehindWithoutAnInstallation) {
    LocalCluster& cluster = make("home");
    LocalCluster without{cluster.place(), (folder_ / "nowhere").string()};
    EXPECT_THROW(without.start(), Error);
    EXPECT_FALSE(fs::exists(cluster.place().home));
    EXPECT_FALSE(fs::exists(cluster.place().cluster));
}

TEST_F(LocalClusterTest, RefusesDataOfAnotherVersion) {
    LocalCluster& cluster = make("home");
    cluster.start();
    cluster.stop();
    std::ofstream{cluster.place().data() / "PG_VERSION"} << "17\n";
    EXPECT_THROW(cluster.start(), Error);
}

}  // namespace
}  // namespace decant::store
