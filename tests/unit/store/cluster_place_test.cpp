#include "store/cluster_place.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "core/error.hpp"
#include "tests/support/scratch_folder.hpp"

namespace decant::store {
namespace {

namespace fs = std::filesystem;

class ClusterPlaceTest : public testing::Test {
protected:
    void TearDown() override { fs::remove_all(folder_); }

    fs::path folder_ = test::make_scratch_folder("place");
};

TEST_F(ClusterPlaceTest, FindsTheProjectOfASubfolderByItsDecantFolder) {
    fs::create_directories(folder_ / ".decant");
    fs::create_directories(folder_ / "a" / "b");
    EXPECT_EQ(find_cluster_place(std::nullopt, folder_ / "a" / "b").home, folder_ / ".decant");
}

TEST_F(ClusterPlaceTest, TakesASourceTreeForTheProject) {
    fs::create_directories(folder_ / "scripts");
    fs::create_directories(folder_ / "build");
    std::ofstream{folder_ / "CMakeLists.txt"};
    std::ofstream{folder_ / "scripts" / "setup"};
    EXPECT_EQ(find_cluster_place(std::nullopt, folder_ / "build").home, folder_ / ".decant");
}

TEST_F(ClusterPlaceTest, TakesTheWorkingFolderWhereThereIsNoProject) {
    EXPECT_EQ(find_cluster_place(std::nullopt, folder_).home, folder_ / ".decant");
}

TEST_F(ClusterPlaceTest, LetsDecantHomeGoBeforeTheProject) {
    EXPECT_EQ(find_cluster_place("elsewhere", folder_).home, folder_ / "elsewhere");
}

TEST_F(ClusterPlaceTest, PassesByADecantFolderOfAnotherAccount) {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root to make a folder of another account";
    fs::create_directories(folder_ / ".decant");
    fs::create_directories(folder_ / "mine");
    ASSERT_EQ(::chown((folder_ / ".decant").c_str(), 65534, 65534), 0);
    EXPECT_EQ(find_cluster_place(std::nullopt, folder_ / "mine").home, folder_ / "mine" / ".decant");
    EXPECT_EQ(find_cluster_place(std::nullopt, folder_).home, folder_ / ".decant-root");
}

TEST_F(ClusterPlaceTest, GivesTwoProjectsTwoDataFolders) {
    EXPECT_NE(find_cluster_place(std::nullopt, folder_ / "one").data(),
              find_cluster_place(std::nullopt, folder_ / "two").data());
}

TEST_F(ClusterPlaceTest, MakesItsFolderForItsOwnerAlone) {
    ClusterPlace place{.home = folder_ / ".decant", .cluster = folder_ / ".decant", .server = {}};
    make_folders(place);
    EXPECT_EQ(fs::status(place.home).permissions(), fs::perms::owner_all);
}

TEST_F(ClusterPlaceTest, RefusesAFolderThatIsALink) {
    fs::create_directory_symlink(folder_, folder_ / ".decant");
    EXPECT_THROW(make_folders({.home = folder_ / ".decant", .cluster = folder_ / ".decant", .server = {}}), Error);
}

TEST(SocketFolder, IsTheDataFolderWhileThePathStaysWithin100Bytes) {
    const std::string fits(100 - std::string{"/.s.PGSQL.65535"}.size() - 1, 'x');
    EXPECT_EQ(socket_folder_in("/" + fits), "/" + fits);
    EXPECT_EQ(socket_folder_in("/x" + fits), std::nullopt);
}

TEST(SocketFolder, IsNotADataFolderWhoseNameThePostgresConfigurationWouldSplit) {
    EXPECT_EQ(socket_folder_in("/home/o'neil/a,b"), std::nullopt);
}

}  // namespace
}  // namespace decant::store
