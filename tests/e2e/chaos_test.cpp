#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "core/error.hpp"
#include "tests/support/copy_case.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/small_disk.hpp"

namespace decant::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using testing::AnyOf;
using testing::HasSubstr;

std::vector<std::string> files_in(const fs::path& folder) {
    std::vector<std::string> names;
    for (const auto& file : fs::directory_iterator{folder})
        names.push_back(file.path().filename().string());
    return names;
}

void give_to_server(const fs::path& path, const ThrowawayCluster& cluster) {
    if (::chown(path.c_str(), cluster.account().account.uid, cluster.account().account.gid) != 0)
        throw std::runtime_error("chown " + path.string());
}

/// Rejected records, so that a reject file has something to hold.
void put_rejects(SyntheticChroma& source, std::uint64_t count) {
    std::vector<SourceRecord> records;
    for (std::uint64_t number = 0; number < count; ++number) {
        records.push_back(sample_record(1'000'000 + number, source.dimension()));
        records.back().document->push_back('\0');
    }
    source.put(records);
}

class LongChaosDisk : public testing::Test {
protected:
    void SetUp() override {
        if (!SmallDisk::is_possible()) GTEST_SKIP() << "only root can mount a small disk";
    }
};

TEST_F(LongChaosDisk, M7_AFullTablespaceStopsTheCopyAndItGoesOnWhenThereIsSpace) {
    ThrowawayCluster cluster;
    const SmallDisk disk{"6m"};
    give_to_server(disk.path(), cluster);
    CopyCase with{{.dimension = 256}, cluster.create_database()};
    with.source().put_samples(0, 6'000);
    with.exec(fmt::format("CREATE TABLESPACE small LOCATION '{}'", disk.path().string()));
    with.exec(
        fmt::format("ALTER DATABASE {} SET default_tablespace = 'small'", with.value("SELECT current_database()")));
    const Outcome full = with.copy({"--index", "none", "--batch-size", "200"});
    EXPECT_EQ(full.exit_code, 74) << full.told();
    EXPECT_THAT(full.err, HasSubstr("store_full"));
    EXPECT_THAT(full.err, HasSubstr("No space left on device"));
    EXPECT_THAT(full.err, HasSubstr("of 6,000 records are still to come"));
    EXPECT_THAT(full.err, HasSubstr("run the same command again"));
    const std::int64_t kept = std::stoll(with.value("SELECT count(*) FROM products"));
    EXPECT_GT(kept, 0);
    EXPECT_LT(kept, 6'000);

    disk.resize("64m");
    const auto report = with.copied({"--index", "none", "--batch-size", "200"});
    EXPECT_TRUE(report.at("resumed").as_bool());
    EXPECT_EQ(count_of(report, "copied"), 6'000U);
    EXPECT_EQ(with.verify("source").exit_code, 0);
    with.exec("DROP TABLE products");
    with.exec("DROP SCHEMA decant CASCADE");
    with.exec("DROP TABLESPACE small");
}

TEST_F(LongChaosDisk, M7_AFullWalDiskLosesNothing) {
    ThrowawayCluster cluster{{.is_durable = true, .settings = {"max_wal_size = 32MB", "min_wal_size = 32MB"}}};
    const std::string database = [&] {
        const std::string conninfo = cluster.create_database();
        return conninfo.substr(conninfo.rfind('=') + 1);
    }();
    cluster.stop(ThrowawayCluster::Stop::fast);
    const SmallDisk disk{"40m"};
    give_to_server(disk.path(), cluster);
    const fs::path wal = cluster.folder() / "data/pg_wal";
    ASSERT_EQ(
        std::system(
            fmt::format("cp -a {0}/. {1} && rm -r {0} && ln -s {1} {0}", wal.string(), disk.path().string()).c_str()),
        0);
    cluster.start();
    SyntheticChroma source{{.dimension = 512}};
    source.put_samples(0, 8'000);
    // A replication slot keeps the log from being recycled, as a standby that is away does.
    pg::Connection::open(cluster.conninfo(database)).exec("SELECT pg_create_physical_replication_slot('away', true)");
    const std::vector<std::string> copy{"copy", "--from", source.path().string(), "--collection", "products", "--index",
                                        "none", "--json"};
    {
        const DecantProgram decant{cluster.conninfo(database)};
        const Outcome full = decant.run(copy);
        EXPECT_THAT(full.exit_code, AnyOf(69, 74)) << full.told();
        EXPECT_THAT(full.err, HasSubstr("run the same command again"));
    }
    disk.resize("200m");
    try {
        cluster.stop(ThrowawayCluster::Stop::immediate);
    } catch (const std::runtime_error&) {
        // It had stopped by itself for want of space.
    }
    cluster.start();
    const DecantProgram decant{cluster.conninfo(database)};
    const Outcome resumed = decant.run(copy);
    EXPECT_EQ(resumed.exit_code, 0) << resumed.told();
    EXPECT_EQ(count_of(resumed.json().as_object(), "copied"), 8'000U);
    EXPECT_EQ(decant.run({"verify", "products", "--against", "source"}).exit_code, 0);
    EXPECT_EQ(decant.run({"verify", "products", "--against", "digests"}).exit_code, 0);
    cluster.stop(ThrowawayCluster::Stop::immediate);
}

TEST_F(LongChaosDisk, M8_AFullDiskForTheRejectFileLeavesNoPartOfItAndTheTableWhole) {
    const SmallDisk disk{"64k"};
    CopyCase with;
    with.source().put_samples(0, 300);
    put_rejects(with.source(), 500);
    const std::string rejects = (disk.path() / "rejects.jsonl").string();
    const Outcome full = with.copy({"--rejects", rejects, "--index", "none"});
    EXPECT_EQ(full.exit_code, 74) << full.told();
    EXPECT_THAT(full.err, HasSubstr(rejects + " cannot be written"));
    EXPECT_THAT(files_in(disk.path()), testing::IsEmpty());
    EXPECT_EQ(with.value("SELECT count(*) FROM products"), "300");
    EXPECT_EQ(with.verify("source").exit_code, 0);

    disk.resize("4m");
    const Outcome again = with.copy({"--rejects", rejects, "--index", "none"});
    EXPECT_EQ(again.exit_code, 1) << again.told();
    EXPECT_EQ(count_of(again.json().as_object(), "unchanged"), 300U);
    EXPECT_THAT(files_in(disk.path()), testing::ElementsAre("rejects.jsonl"));
    std::ifstream file{rejects};
    std::uint64_t lines = 0;
    for (std::string line; std::getline(file, line);)
        ++lines;
    EXPECT_EQ(lines, 500U);
}

/// strace as a fault: system calls of the program under test fail as `inject` says.
class LongChaosSystemCalls : public testing::Test {
protected:
    void SetUp() override {
        if (std::system("strace -f -o /dev/null true 2>/dev/null") != 0) GTEST_SKIP() << "strace cannot trace here";
        with_.source().put_samples(0, 200);
        put_rejects(with_.source(), 20);
        with_.decant().run({"config"});
    }

    Outcome copy_with(const std::string& inject) const {
        return with_.decant().run_under(
            {"/usr/bin/strace", "-f", "-o", "/dev/null", "-e", "signal=none", "-e", "inject=" + inject},
            with_.copy_arguments({"--index", "none", "--batch-size", "20"}));
    }

    /// Ended by itself with an exit code that means something.
    static void expect_clean(const Outcome& outcome, const std::string& inject) {
        EXPECT_LT(outcome.exit_code, 128) << inject << ": " << outcome.told();
        EXPECT_NE(outcome.exit_code, 70) << inject << ": " << outcome.told();
    }

    void expect_whole() const {
        const Outcome outcome = with_.copy({"--index", "none"});
        EXPECT_EQ(outcome.exit_code, 1) << outcome.told();
        EXPECT_EQ(with_.value("SELECT count(*) FROM products"), "200");
        EXPECT_EQ(with_.verify("source").exit_code, 0);
        EXPECT_EQ(with_.verify("digests").exit_code, 0);
        EXPECT_THAT(files_in(with_.decant().folder()), testing::Not(testing::Contains(HasSubstr(".part"))));
    }

    CopyCase with_;
};

TEST_F(LongChaosSystemCalls, M8_NoWriteThatFailsForWantOfSpaceSpoilsTheTableOrLeavesHalfAFile) {
    for (int number = 1; number <= 12; ++number) {
        const std::string inject = fmt::format("write:error=ENOSPC:when={}", number);
        expect_clean(copy_with(inject), inject);
    }
    for (const char* inject :
         {"fsync:error=EIO", "fsync:error=ENOSPC", "rename:error=ENOSPC", "write:error=ENOSPC:when=1+"})
        expect_clean(copy_with(inject), inject);
    expect_whole();
}

TEST_F(LongChaosSystemCalls, M8_RunningOutOfFilesIsACleanError) {
    // Before that the dynamic loader opens the program's libraries.
    for (int number = 20; number <= 110; number += 3) {
        const std::string inject = fmt::format("openat:error=EMFILE:when={}", number);
        const Outcome outcome = copy_with(inject);
        if (outcome.exit_code != 127) expect_clean(outcome, inject);
    }
    for (int number = 1; number <= 4; ++number) {
        const std::string inject = fmt::format("socket:error=EMFILE:when={}", number);
        expect_clean(copy_with(inject), inject);
    }
    expect_whole();
}

TEST_F(LongChaosSystemCalls, M6_ConnectionsThatCannotBeMadeOrBreakAreCleanErrors) {
    for (const char* inject : {"connect:error=ECONNREFUSED:when=2", "connect:error=ETIMEDOUT:when=3..5",
                               "recvfrom:error=ECONNRESET:when=40", "recvfrom:error=ECONNRESET:when=60"})
        expect_clean(copy_with(inject), inject);
    expect_whole();
}

/// A control group of version 1 with a limit on memory, gone with this object.
class MemoryLimit {
public:
    explicit MemoryLimit(std::uint64_t bytes)
        : folder_(fmt::format("/sys/fs/cgroup/memory/decant-test-{}", ::getpid())) {
        std::error_code failed;
        fs::create_directory(folder_, failed);
        std::ofstream limit{folder_ / "memory.limit_in_bytes"};
        limit << bytes << std::flush;
        is_set_ = !failed && limit.good();
    }
    MemoryLimit(const MemoryLimit&) = delete;
    MemoryLimit& operator=(const MemoryLimit&) = delete;
    ~MemoryLimit() { ::rmdir(folder_.c_str()); }

    bool is_set() const noexcept { return is_set_; }
    /// Runs a program in it.
    std::vector<std::string> entry() const {
        return {"/bin/sh", "-c", "echo $$ > \"$0/cgroup.procs\" && exec \"$@\"", folder_.string()};
    }
    std::uint64_t most_bytes() const {
        std::uint64_t bytes = 0;
        std::ifstream{folder_ / "memory.max_usage_in_bytes"} >> bytes;
        return bytes;
    }

private:
    fs::path folder_;
    bool is_set_ = false;
};

/// O1_ROWS (100,000) says how many rows of 384 values; the directory is made by bench/synthetic_chroma.py.
TEST(LongChaosMemory, O1_ACopyFarLargerThanItsMemoryEndsWhole) {
    const MemoryLimit limit{256UL << 20U};
    if (!limit.is_set()) GTEST_SKIP() << "only root can limit memory, with control groups of version 1";
    const char* named = std::getenv("O1_ROWS");
    const std::string rows = named == nullptr ? "100000" : named;
    const DecantProgram decant{ThrowawayCluster::shared().create_database()};
    const fs::path project = DECANT_SOURCE_DIR;
    fs::path python = project / ".deps/venv-1.5.9/bin/python";
    if (!fs::exists(python)) GTEST_SKIP() << "the synthetic directory needs numpy: scripts/make-venv 1.5.9";
    const std::string make =
        fmt::format("{} {} {} --rows {} --dim 384", python.string(), (project / "bench/synthetic_chroma.py").string(),
                    (decant.folder() / "chroma").string(), rows);
    ASSERT_EQ(std::system(make.c_str()), 0);
    const Outcome outcome = decant.run_under(
        limit.entry(), {"copy", "--from", "chroma", "--collection", "products", "--index", "none", "--json"});
    ASSERT_EQ(outcome.exit_code, 0) << outcome.told();
    EXPECT_EQ(std::to_string(count_of(outcome.json().as_object(), "copied")), rows);
    EXPECT_TRUE(outcome.json().at("verification").at("equal").as_bool());
    fmt::print(
        "{} x 384 copied and verified under a limit of 256 MiB in {:.1f} s; most memory with page cache: {} MiB\n",
        rows, outcome.seconds, limit.most_bytes() >> 20U);
}

}  // namespace
}  // namespace decant::test
