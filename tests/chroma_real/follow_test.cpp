// A copy that follows a directory while a real chromadb writes to it, purges its queue and rewrites its index, and
// which is killed again and again meanwhile.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <signal.h>

#include <cstdio>
#include <fstream>
#include <memory>
#include <random>
#include <thread>

#include "core/child_process.hpp"
#include "tests/support/copy_case.hpp"
#include "tests/support/eventually.hpp"

namespace decant::test {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr int kills = 12;

std::size_t lines_of(const std::string& text) {
    return static_cast<std::size_t>(std::ranges::count(text, '\n'));
}

struct Written {
    const char* space;
    int sync_threshold;  ///< rows of the queue that Chroma purges at a time
    bool has_deltas;     ///< so many that passes come between two purges
};

class LongFollow : public testing::TestWithParam<Written> {};

TEST_P(LongFollow, F1_EndsEqualToADirectoryThatWasWrittenMeanwhileHoweverOftenItIsKilled) {
    const fs::path root = DECANT_SOURCE_DIR;
    const ProgramResult made = run_program({.argv = {(root / "scripts/make-venv").string(), "1.5.9"}});
    ASSERT_EQ(made.exit_code, 0) << made.output;
    const DecantProgram decant{ThrowawayCluster::shared().create_database()};
    const fs::path directory = decant.folder() / "live";
    const fs::path stop = decant.folder() / "stop";
    const std::string command = (root / ".deps/venv-1.5.9/bin/python").string() + " " +
                                (root / "tests/support/make_chroma.py").string() + " writer " + directory.string() +
                                " --space " + GetParam().space + " --sync-threshold " +
                                std::to_string(GetParam().sync_threshold) + " --stop " + stop.string();
    const std::unique_ptr<FILE, int (*)(FILE*)> writer{::popen(command.c_str(), "r"), ::pclose};
    ASSERT_NE(writer, nullptr);
    std::string line(32, '\0');
    ASSERT_NE(std::fgets(line.data(), static_cast<int>(line.size()), writer.get()), nullptr);

    const std::vector<std::string> follow{
        "copy",       "--from", directory.string(), "--collection", "live", "--follow", "--json",
        "--interval", "1",      "--index",          "none"};
    std::mt19937 random{20261129};
    bool was_delta = false;
    for (int kill = 0; kill < kills; ++kill) {
        RunningDecant running = decant.start(follow);
        ASSERT_TRUE(eventually(60s, [&] { return lines_of(running.out()) >= 1; })) << running.err();
        // At any moment of what it does then: this is the time of the kill, and nothing waits for it.
        std::this_thread::sleep_for(std::chrono::milliseconds{random() % 3000});
        running.signal(SIGKILL);
        const Outcome killed = running.wait();
        EXPECT_EQ(killed.exit_code, 128 + SIGKILL);
        was_delta = was_delta || killed.out.find("\"full\":false") != std::string::npos;
    }
    EXPECT_TRUE(was_delta || !GetParam().has_deltas);
    std::ofstream{stop} << "stop\n";
    ASSERT_NE(std::fgets(line.data(), static_cast<int>(line.size()), writer.get()), nullptr) << "the writer failed";

    RunningDecant last = decant.start(follow);
    Outcome diff;
    const bool is_equal = eventually(60s, [&] {
        diff = decant.run({"diff", "live", "--json"});
        return diff.exit_code == 0;
    });
    EXPECT_TRUE(is_equal) << diff.told();
    last.signal(SIGTERM);
    EXPECT_EQ(last.wait().exit_code, 0);
    EXPECT_GT(diff.json().at("rows").to_number<int>(), 100);
}

INSTANTIATE_TEST_SUITE_P(Long, LongFollow,
                         testing::Values(Written{"l2", 100, false}, Written{"l2", 20'000, true},
                                         Written{"cosine", 1'000, false}));

}  // namespace
}  // namespace decant::test
