#include "core/write_file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>

#include "core/error.hpp"

namespace decant {
namespace {

namespace fs = std::filesystem;

class WriteFile : public testing::Test {
protected:
    WriteFile() {
        std::string pattern = (fs::temp_directory_path() / "decant-write-XXXXXX").string();
        folder_ = mkdtemp(pattern.data());
    }
    ~WriteFile() override { fs::remove_all(folder_); }

    static std::string content_of(const fs::path& path) {
        std::ifstream stream{path, std::ios::binary};
        return {std::istreambuf_iterator<char>{stream}, {}};
    }

    fs::path folder_;
};

TEST_F(WriteFile, KeepsTheModeOfTheFileThatItReplaces) {
    write_file(folder_ / "secret", "a");
    fs::permissions(folder_ / "secret", fs::perms::owner_read | fs::perms::owner_write);
    write_file(folder_ / "secret", "b");
    EXPECT_EQ(fs::status(folder_ / "secret").permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(WriteFile, ReplacesAFileWholeAndLeavesNothingBeside) {
    write_file(folder_ / "out", "a longer text");
    write_file(folder_ / "out", "short");
    EXPECT_EQ(content_of(folder_ / "out"), "short");
    EXPECT_EQ(std::distance(fs::directory_iterator{folder_}, {}), 1);
}

TEST_F(WriteFile, LeavesTheOldFileAndNothingBesideWithoutFinish) {
    write_file(folder_ / "out", "old");
    {
        FileWriter half{folder_ / "out"};
        half.write("new, but only ha");
    }
    EXPECT_EQ(content_of(folder_ / "out"), "old");
    EXPECT_EQ(std::distance(fs::directory_iterator{folder_}, {}), 1);
}

TEST_F(WriteFile, WritesIntoAPipeInsteadOfPuttingAFileInItsPlace) {
    const fs::path pipe = folder_ / "pipe";
    ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
    std::string received;
    {
        const std::jthread reader{[&] { received = content_of(pipe); }};
        write_file(pipe, "line\n");
    }
    EXPECT_EQ(received, "line\n");
    EXPECT_TRUE(fs::is_fifo(pipe));
}

TEST_F(WriteFile, FollowsALinkToItsFile) {
    write_file(folder_ / "real", "old");
    fs::create_symlink("real", folder_ / "link");
    write_file(folder_ / "link", "new");
    EXPECT_TRUE(fs::is_symlink(folder_ / "link"));
    EXPECT_EQ(content_of(folder_ / "real"), "new");
}

TEST_F(WriteFile, NamesAFullDevice) {
    fs::create_symlink("/dev/full", folder_ / "full");
    try {
        write_file(folder_ / "full", "x");
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::store_full);
    }
    EXPECT_TRUE(fs::is_character_file("/dev/full"));
}

}  // namespace
}  // namespace decant
