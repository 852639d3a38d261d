// kill -9 at every failpoint of backup and restore.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "core/failpoint_names.hpp"
#include "operate/backup.hpp"
#include "tests/support/backup_case.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/search_load.hpp"
#include "tests/support/serve_case.hpp"

namespace decant::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::SizeIs;

std::vector<std::string_view> failpoints_of(std::string_view command) {
    std::vector<std::string_view> names;
    for (const std::string_view name : failpoint_names) {
        if (name.starts_with(command)) names.push_back(name);
    }
    return names;
}

/// What restores kept of the directories that were at `place`.
std::vector<fs::path> kept_of(const fs::path& place) {
    std::vector<fs::path> kept;
    for (const auto& entry : fs::directory_iterator{place.parent_path()})
        if (entry.path().string().starts_with(place.string() + "_before_")) kept.push_back(entry.path());
    return kept;
}

TEST(BackupKills, B2_ABackupThatIsKilledAnywhereIsNeverTakenForWholeAndTheNextOneClearsItAway) {
    BackupCase with;
    std::size_t whole = 0;
    for (const std::string_view failpoint : failpoints_of("backup.")) {
        SCOPED_TRACE(failpoint);
        const Outcome killed = with.decant().run(with.arguments(), {fmt::format("DECANT_FAILPOINT={}:1", failpoint)});
        EXPECT_EQ(killed.exit_code, 128 + SIGKILL) << killed.told();
        if (failpoint == "backup.finished") ++whole;
        const auto listed = operate::list_backups(with.place());
        EXPECT_THAT(listed, SizeIs(whole));
        for (const operate::BackupEntry& entry : listed)
            EXPECT_TRUE(operate::check_backup(entry.path).is_whole()) << entry.path;
        EXPECT_TRUE(operate::check_backup(with.back_up()).is_whole());
        ++whole;
        EXPECT_THAT(with.entries(), SizeIs(whole)) << "what the killed one left is still there";
    }
}

TEST(BackupKills, B2_ARestoreThatIsKilledAnywhereLeavesTheOldStateOrTheNewOneAndTheNextOneGoesWell) {
    BackupCase with;
    const fs::path folder = with.back_up();
    const std::string backed_up = with.content(with.database());
    with.catalog().exec("UPDATE products SET price = 7");
    const std::string live = with.content(with.database());
    const fs::path chroma = with.decant().folder() / "chroma";
    const std::vector<std::string> arguments{"--yes", "--chroma-to", chroma.string()};
    const auto put_mine = [&] {
        fs::create_directory(chroma);
        write_content(chroma / "mine.txt", "mine");
    };
    put_mine();
    for (const std::string_view failpoint : failpoints_of("restore.")) {
        SCOPED_TRACE(failpoint);
        const Outcome killed = with.restore(folder, arguments, {fmt::format("DECANT_FAILPOINT={}:1", failpoint)});
        EXPECT_EQ(killed.exit_code, 128 + SIGKILL) << killed.told();
        const bool is_placed = failpoint == "restore.placed";
        const bool is_swapped = failpoint == "restore.swapped" || failpoint == "restore.placing" || is_placed;
        EXPECT_EQ(with.content(with.database()), is_swapped ? backed_up : live);
        EXPECT_EQ(fs::exists(chroma / "mine.txt"), !is_placed);
        EXPECT_EQ(fs::exists(chroma / "chroma.sqlite3"), is_placed);
        const Outcome next = with.restore(folder, arguments);
        EXPECT_EQ(next.exit_code, 0) << next.told();
        EXPECT_EQ(with.content(with.database()), backed_up);
        EXPECT_TRUE(fs::exists(chroma / "chroma.sqlite3"));
        EXPECT_EQ(with.databases("decant\\_restore\\_%"), "") << "what the killed one left is still there";
        const std::vector<fs::path> kept = kept_of(chroma);
        EXPECT_TRUE(std::ranges::any_of(kept, [](const fs::path& one) { return fs::exists(one / "mine.txt"); }))
            << "what was there is gone";
        with.catalog().exec("UPDATE products SET price = 7");
        fs::remove_all(chroma);
        for (const fs::path& one : kept)
            fs::remove_all(one);
        put_mine();
    }
}

TEST(BackupKills, B2_SearchesGoOnBesideBackupsAndRestoresThatAreKilledAndComeBackWhereTheDatabaseWasSwapped) {
    ServeCase with;
    const DecantProgram& decant = with.catalog().decant();
    const fs::path place = decant.folder() / "backups";
    const std::vector<std::string> backup{"backup", "--no-chroma", "--json", "--to", place.string()};
    const Outcome whole = decant.run(backup);
    ASSERT_EQ(whole.exit_code, 0) << whole.told();
    const std::string folder{whole.json().at("folder").as_string()};
    ServedDecant server = with.serve();
    const auto kill_beside_searches = [&](const std::vector<std::string>& arguments, std::string_view failpoint) {
        SCOPED_TRACE(failpoint);
        SearchLoad load{server.port(), 2};
        const Outcome killed = decant.run(arguments, {fmt::format("DECANT_FAILPOINT={}:1", failpoint)});
        EXPECT_EQ(killed.exit_code, 128 + SIGKILL) << killed.told();
        const std::size_t before = load.answered();
        EXPECT_TRUE(eventually(std::chrono::seconds{20}, [&] { return load.answered() > before + 20; }));
        const bool is_swapped = failpoint == "restore.swapped";
        for (const LoadSample& sample : load.stop())
            EXPECT_THAT(sample.status, testing::AnyOf(200, is_swapped ? 503 : 200)) << sample.body;
    };
    for (const std::string_view failpoint : {"backup.dumped", "backup.manifest_written"})
        kill_beside_searches(backup, failpoint);
    for (const std::string_view failpoint : {"restore.loaded", "restore.proven", "restore.swapped"})
        kill_beside_searches({"restore", folder, "--yes"}, failpoint);
}

TEST(BackupKills, B2_SearchesGoOnBesideABackupAndComeBackAfterARestoreOverTheirDatabase) {
    ServeCase with;
    const fs::path place = with.catalog().decant().folder() / "backups";
    ServedDecant server = with.serve();
    SearchLoad load{server.port(), 2};
    const Outcome backed_up = with.catalog().decant().run({"backup", "--no-chroma", "--json", "--to", place.string()});
    ASSERT_EQ(backed_up.exit_code, 0) << backed_up.told();
    for (const LoadSample& sample : load.stop())
        EXPECT_EQ(sample.status, 200) << sample.body;
    const std::string folder{backed_up.json().at("folder").as_string()};
    SearchLoad beside{server.port(), 2};
    const Outcome restored = with.catalog().decant().run({"restore", folder, "--yes"});
    EXPECT_EQ(restored.exit_code, 0) << restored.told();
    const std::size_t before = beside.answered();
    EXPECT_TRUE(eventually(std::chrono::seconds{20}, [&] { return beside.answered() > before + 20; }));
    for (const LoadSample& sample : beside.stop())
        EXPECT_THAT(sample.status, testing::AnyOf(200, 503)) << sample.body;
}

}  // namespace
}  // namespace decant::test
