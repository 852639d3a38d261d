// decant backup, verify, list and restore, each on a catalog and a Chroma directory of its own.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sqlite3.h>
#include <atomic>
#include <boost/json/array.hpp>
#include <functional>
#include <set>
#include <thread>

#include "core/error.hpp"
#include "operate/backup.hpp"
#include "tests/support/backup_case.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/small_disk.hpp"

namespace decant::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

fs::path file_of(const fs::path& folder, const std::string& ending) {
    for (const auto& entry : fs::directory_iterator{folder}) {
        if (entry.path().string().ends_with(ending)) return entry.path();
    }
    throw std::runtime_error("no file ends with " + ending);
}

TEST(Backup, HoldsDatabaseAndChromaDirectoryUnderTheGuidesNamesAndIsFoundWhole) {
    BackupCase with;
    const fs::path folder = with.back_up();
    const std::string dump = file_of(folder, ".dump").filename().string();
    EXPECT_THAT(dump, testing::MatchesRegex(with.database() + "_backup_[0-9]{8}\\.dump"));
    EXPECT_THAT(file_of(folder, ".tar.gz").filename().string(),
                testing::MatchesRegex("chroma_backup_[0-9]{8}\\.tar\\.gz"));
    const auto manifest = operate::read_manifest(folder);
    ASSERT_TRUE(manifest.chroma);
    EXPECT_EQ(manifest.chroma->collections.at(0).records, 30U);
    const auto products = std::ranges::find(manifest.database.tables, "public.products", &operate::TableDigest::shown);
    ASSERT_NE(products, manifest.database.tables.end());
    EXPECT_EQ(products->rows, 40U);
    const Outcome deep = with.verify(folder, {"--deep"});
    EXPECT_EQ(deep.exit_code, 0) << deep.told();
    EXPECT_THAT(deep.out, HasSubstr("what was restored of it is what was backed up"));
    EXPECT_EQ(with.databases("decant\\_restore\\_%"), "") << "what --deep made is still there";
    EXPECT_THAT(with.entries(), ElementsAre(folder.filename().string()));
}

TEST(Backup, ABitThatIsTurnedOverIsFoundInEveryFile) {
    BackupCase with;
    const fs::path folder = with.back_up();
    for (const char* name : {"manifest.json", ".dump", ".tar.gz"}) {
        const fs::path file = file_of(folder, name);
        const std::string whole = content_of(file);
        const std::size_t step = std::max<std::size_t>(1, whole.size() / 60);
        for (std::size_t at = 0; at < whole.size(); at += step) {
            std::string damaged = whole;
            damaged[at] = static_cast<char>(damaged[at] ^ (1 << (at % 8)));
            write_content(file, damaged);
            EXPECT_FALSE(operate::check_backup(folder).is_whole()) << file << " byte " << at;
        }
        write_content(file, whole);
    }
    EXPECT_TRUE(operate::check_backup(folder).is_whole());
}

TEST(Backup, AFileThatIsCutOrGoneIsNamed) {
    BackupCase with;
    const fs::path folder = with.back_up();
    for (const char* name : {"manifest.json", ".dump", ".tar.gz"}) {
        const fs::path file = file_of(folder, name);
        const std::string whole = content_of(file);
        for (const std::size_t length : {std::size_t{0}, std::size_t{1}, whole.size() / 2, whole.size() - 1}) {
            write_content(file, whole.substr(0, length));
            EXPECT_FALSE(operate::check_backup(folder).is_whole()) << file << " cut to " << length;
        }
        fs::remove(file);
        const Outcome gone = with.verify(folder);
        EXPECT_EQ(gone.exit_code, 1) << gone.told();
        EXPECT_THAT(gone.out, AllOf(HasSubstr(file.filename().string()), HasSubstr("missing"), HasSubstr("NOT whole")));
        const Outcome restored = with.restore(folder, {"--into", "never_" + with.database()});
        EXPECT_EQ(restored.exit_code, 65) << restored.told();
        write_content(file, whole);
    }
    EXPECT_EQ(with.databases("never%"), "");
    EXPECT_TRUE(operate::check_backup(folder).is_whole());
}

TEST(Backup, OfMomentsOfRunningWritesAreEachConsistent) {
    BackupCase with;
    std::atomic<bool> is_over = false;
    // Every transaction keeps the sum of the prices; a dump and its digests that saw two moments would not.
    std::thread database_writer{[&] {
        pg::Connection db = with.catalog().open();
        for (int i = 0; !is_over; ++i) {
            const int there = i % 40 < 20 ? i % 20 : 20 + i % 20;
            const int back = i % 40 < 20 ? 20 + i % 20 : i % 20;
            db.exec(
                fmt::format("BEGIN; UPDATE products SET price = price + 1 WHERE sku = 'sku-{}'; "
                            "UPDATE products SET price = price - 1 WHERE sku = 'sku-{}'; COMMIT",
                            there, back));
        }
    }};
    std::thread chroma_writer{[&] {
        for (std::uint64_t number = 30; !is_over; ++number)
            with.catalog().put_records(number, 1);
    }};
    std::vector<fs::path> folders;
    for (int i = 0; i < 2; ++i)
        folders.push_back(with.back_up());
    is_over = true;
    database_writer.join();
    chroma_writer.join();
    for (const fs::path& folder : folders) {
        const Outcome deep = with.verify(folder, {"--deep"});
        EXPECT_EQ(deep.exit_code, 0) << deep.told();
    }
    const std::string copy = with.database() + "_copy";
    const Outcome restored = with.restore(folders.back(), {"--into", copy});
    EXPECT_EQ(restored.exit_code, 0) << restored.told();
    EXPECT_EQ(with.open(copy).exec("SELECT sum(price) FROM products").text(0, 0), "4000");
}

TEST(Backup, KeepRemovesTheOldestWholeOnesOfThisDatabaseAlone) {
    BackupCase with;
    const fs::path first = with.back_up();
    const fs::path damaged = with.place() / "20200101T000000Z";
    fs::create_directory(damaged);
    write_content(damaged / "manifest.json", "{}");
    fs::create_directory(with.place() / "mine");
    const fs::path second = with.back_up({"--keep", "2"});
    EXPECT_TRUE(fs::exists(first));
    const fs::path third = with.back_up({"--keep", "1"});
    EXPECT_FALSE(fs::exists(first) || fs::exists(second));
    EXPECT_THAT(with.entries(), testing::UnorderedElementsAre(third.filename().string(), "20200101T000000Z", "mine"));
    const Outcome none = with.decant().run(with.arguments({"--keep", "0"}));
    EXPECT_EQ(none.exit_code, 2) << none.told();
}

/// The backup in `folder` again, as `change` makes its manifest.
void put_changed(const fs::path& folder, const fs::path& copy, const std::function<void(operate::Manifest&)>& change) {
    operate::Manifest manifest = operate::read_manifest(folder);
    change(manifest);
    fs::copy(folder, copy);
    write_content(copy / "manifest.json", operate::text_of(manifest));
    ASSERT_TRUE(operate::check_backup(copy).is_whole());
}

TEST(Backup, KeepLeavesBackupsOfOtherServersAlone) {
    BackupCase with;
    const fs::path first = with.back_up();
    EXPECT_EQ(operate::read_manifest(first).database.system_identifier,
              with.catalog().value("SELECT system_identifier FROM pg_control_system()"));
    const fs::path other = with.place() / "20200101T000000Z";
    put_changed(first, other, [](operate::Manifest& manifest) { manifest.database.system_identifier = "4711"; });
    const fs::path unknown = with.place() / "20200102T000000Z";
    put_changed(first, unknown, [](operate::Manifest& manifest) { manifest.database.system_identifier = ""; });
    with.back_up({"--keep", "1"});
    EXPECT_FALSE(fs::exists(first));
    EXPECT_TRUE(fs::exists(other));
    EXPECT_TRUE(fs::exists(unknown));
}

TEST(Backup, KeepLeavesTheLastOnesThatHoldTheChromaDirectory) {
    BackupCase with;
    const fs::path first = with.back_up();
    const fs::path second = with.back_up();
    const fs::path without = with.back_up({"--no-chroma", "--keep", "1"});
    EXPECT_FALSE(fs::exists(first));
    EXPECT_TRUE(fs::exists(second)) << "it alone has the directory";
    with.back_up({"--keep", "1"});
    EXPECT_FALSE(fs::exists(second) || fs::exists(without));
}

TEST(Backup, KeepDoesNotRemoveTheOneThatWasJustMadeWhereTheClockWasSetBack) {
    BackupCase with;
    const fs::path first = with.back_up();
    const fs::path of_tomorrow = with.place() / "29990101T000000Z";
    fs::rename(first, of_tomorrow);
    const fs::path made = with.back_up({"--keep", "1"});
    EXPECT_TRUE(fs::exists(made / "manifest.json"));
    EXPECT_FALSE(fs::exists(of_tomorrow));
}

TEST(Backup, ListTellsWhichAreWhole) {
    BackupCase with;
    const fs::path whole = with.back_up();
    const fs::path cut = with.place() / "20200101T000000Z";
    fs::copy(whole, cut);
    fs::resize_file(file_of(cut, ".dump"), 100);
    const Outcome listed = with.decant().run({"backup", "list", with.place().string(), "--json"});
    const auto entries = listed.json().as_array();
    ASSERT_THAT(entries, SizeIs(2)) << listed.told();
    EXPECT_EQ(std::string{entries[0].at("folder").as_string()}, whole.string());
    EXPECT_TRUE(entries[0].at("is_whole").as_bool());
    EXPECT_FALSE(entries[1].at("is_whole").as_bool());
    EXPECT_THAT(std::string{entries[1].at("fault").as_string()}, HasSubstr("100 bytes in the place of"));
}

TEST(Backup, AFullDiskIsToldAndNothingIsLeftOnIt) {
    if (!SmallDisk::is_possible()) GTEST_SKIP() << "needs root";
    BackupCase with;
    with.catalog().exec("CREATE TABLE noise AS SELECT sha256(i::text::bytea) AS h FROM generate_series(1, 40000) i");
    const SmallDisk disk{"400k"};
    const Outcome full = with.decant().run(
        {"backup", "--to", (disk.path() / "backups").string(), "--from", with.catalog().source().path().string()});
    EXPECT_EQ(full.exit_code, 74) << full.told();
    EXPECT_THAT(full.err, HasSubstr("Free space"));
    EXPECT_TRUE(fs::is_empty(disk.path() / "backups"));
}

/// A pg_dump before the real one that writes down its arguments.
fs::path put_recording_pg_dump(const BackupCase& with, const std::string& version) {
    const fs::path folder = with.decant().folder() / "programs";
    fs::create_directory(folder);
    const fs::path real = ThrowawayCluster::shared().installation().folder();
    write_content(folder / "pg_dump",
                  fmt::format("#!/bin/sh\nif [ \"$1\" = --version ]; then echo 'pg_dump (PostgreSQL) {}'; exit; fi\n"
                              "echo \"$@\" >>'{}/arguments'\nLD_LIBRARY_PATH='{}/lib' exec '{}/bin/pg_dump' \"$@\"\n",
                              version, folder.string(), real.string(), real.string()));
    fs::permissions(folder / "pg_dump", fs::perms::owner_all);
    return folder;
}

std::string path_with(const fs::path& folder) {
    return fmt::format("PATH={}:{}", folder.string(), std::getenv("PATH"));
}

TEST(Backup, GivesThePasswordToPgDumpButNotOnItsCommandLine) {
    BackupCase with;
    with.catalog().exec("ALTER ROLE postgres PASSWORD 'canary-5e1f'");
    const fs::path programs = put_recording_pg_dump(with, "18.1");
    const DecantProgram over_tcp{with.cluster().tcp_conninfo(with.database(), "postgres", "canary-5e1f")};
    const Outcome outcome = over_tcp.run(with.arguments(), {path_with(programs)});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.told();
    EXPECT_THAT(content_of(programs / "arguments"), AllOf(HasSubstr("user=postgres"), Not(HasSubstr("canary-5e1f"))));
    const fs::path folder{std::string{outcome.json().at("folder").as_string()}};
    for (const auto& entry : fs::directory_iterator{folder})
        EXPECT_THAT(content_of(entry.path()), Not(HasSubstr("canary-5e1f"))) << entry.path();
}

TEST(Backup, PassesAPgDumpOverThatIsOlderThanTheServer) {
    BackupCase with;
    const fs::path programs = put_recording_pg_dump(with, "14.2");
    const Outcome outcome = with.decant().run(with.arguments(), {path_with(programs)});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.told();
    EXPECT_FALSE(fs::exists(programs / "arguments"));
}

TEST(Restore, MakesADatabaseBesideWithEveryRowVectorIndexAndSetting) {
    BackupCase with;
    with.catalog().exec(
        fmt::format("ALTER DATABASE {0} SET decant.embedding_model = 'the model'; "
                    "ALTER DATABASE {0} SET search_path = public, pg_temp",
                    with.database()));
    const fs::path folder = with.back_up();
    const std::string copy = with.database() + "_beside";
    const Outcome restored = with.restore(folder, {"--into", copy});
    EXPECT_EQ(restored.exit_code, 0) << restored.told();
    EXPECT_EQ(with.content(copy), with.content(with.database()));
    pg::Connection db = with.open(copy);
    EXPECT_EQ(db.exec("SHOW decant.embedding_model").text(0, 0), "the model");
    EXPECT_EQ(db.exec("SHOW search_path").text(0, 0), "public, pg_temp");
    EXPECT_EQ(
        db.exec(
              "SELECT count(*) FROM pg_index WHERE indexrelid = 'idx_products_embedding_hnsw'::regclass AND indisvalid")
            .integer(0, 0),
        1);
    const Outcome searched = DecantProgram{with.cluster().conninfo(copy)}.run({"similar", "sku-1", "--json"});
    EXPECT_EQ(searched.exit_code, 0) << searched.told();
}

TEST(Restore, DoesNotTouchALiveDatabaseUnlessItIsTold) {
    BackupCase with;
    const fs::path folder = with.back_up();
    with.catalog().exec("UPDATE products SET price = 7");
    const std::string live = with.content(with.database());
    const Outcome refused = with.restore(folder);
    EXPECT_EQ(refused.exit_code, 2) << refused.told();
    EXPECT_THAT(refused.err, AllOf(HasSubstr(with.database()), HasSubstr("--yes"), HasSubstr("--into")));
    EXPECT_EQ(with.content(with.database()), live);
}

TEST(Restore, TakesThePlaceOfALiveDatabaseWithItsSessionsAndKeepsIt) {
    BackupCase with;
    const fs::path folder = with.back_up();
    const std::string backed_up = with.content(with.database());
    with.catalog().exec("UPDATE products SET price = 7");
    const std::string live = with.content(with.database());
    pg::Connection session = with.catalog().open();
    session.exec("BEGIN; UPDATE products SET price = 8");
    const Outcome restored = with.restore(folder, {"--yes"});
    ASSERT_EQ(restored.exit_code, 0) << restored.told();
    EXPECT_EQ(with.content(with.database()), backed_up);
    EXPECT_EQ(with.content(std::string{restored.json().at("previous_database").as_string()}), live);
    EXPECT_THROW(session.exec("COMMIT"), Error);
}

TEST(Restore, ASecondExclusiveOperationIsRefused) {
    BackupCase with;
    const fs::path folder = with.back_up();
    pg::Connection other = with.catalog().open();
    other.exec("BEGIN; SELECT pg_advisory_xact_lock(hashtextextended('decant operate', 0))");
    const Outcome refused = with.restore(folder, {"--yes"});
    EXPECT_EQ(refused.exit_code, 75) << refused.told();
    EXPECT_EQ(with.databases("decant\\_restore\\_%"), "");
}

TEST(Restore, NamesTheRolesThatTheServerLacksAndDoesWithoutThemWhenTold) {
    BackupCase with;
    const std::string role = "gone_" + with.database();
    with.catalog().exec(fmt::format("CREATE ROLE {0}; ALTER TABLE brands OWNER TO {0}", role));
    const fs::path folder = with.back_up();
    with.catalog().exec(fmt::format("ALTER TABLE brands OWNER TO postgres; DROP ROLE {}", role));
    const std::string copy = with.database() + "_roles";
    const Outcome refused = with.restore(folder, {"--into", copy});
    EXPECT_EQ(refused.exit_code, 65) << refused.told();
    EXPECT_THAT(refused.err, AllOf(HasSubstr(role), HasSubstr("--no-owner")));
    const Outcome restored = with.restore(folder, {"--into", copy, "--no-owner"});
    EXPECT_EQ(restored.exit_code, 0) << restored.told();
    EXPECT_EQ(with.content(copy), with.content(with.database()));
}

TEST(Restore, UnpacksTheChromaDirectoryAndKeepsTheOneThatWasThere) {
    BackupCase with;
    const fs::path folder = with.back_up();
    const fs::path chroma = with.decant().folder() / "chroma";
    const auto records = [&](const fs::path& directory) {
        const Outcome seen = with.decant().run({"inspect", directory.string(), "--json"});
        EXPECT_EQ(seen.exit_code, 0) << seen.told();
        return seen.json().at("collections").at(0).at("records").to_number<int>();
    };
    const Outcome first = with.restore(folder, {"--into", with.database() + "_a", "--chroma-to", chroma.string()});
    ASSERT_EQ(first.exit_code, 0) << first.told();
    EXPECT_EQ(records(chroma), 30);
    write_content(chroma / "mine.txt", "mine");
    const Outcome refused = with.restore(folder, {"--into", with.database() + "_b", "--chroma-to", chroma.string()});
    EXPECT_EQ(refused.exit_code, 2) << refused.told();
    const Outcome again =
        with.restore(folder, {"--into", with.database() + "_b", "--chroma-to", chroma.string(), "--yes"});
    ASSERT_EQ(again.exit_code, 0) << again.told();
    EXPECT_EQ(records(chroma), 30);
    EXPECT_FALSE(fs::exists(chroma / "mine.txt"));
    EXPECT_TRUE(fs::exists(fs::path{std::string{again.json().at("previous_chroma").as_string()}} / "mine.txt"));
}

TEST(Restore, RefusesAChromaDirectoryThatIsAMountPointBeforeAnythingIsSwapped) {
    if (!SmallDisk::is_possible()) GTEST_SKIP() << "needs root";
    BackupCase with;
    const fs::path folder = with.back_up();
    with.catalog().exec("UPDATE products SET price = 7");
    const std::string live = with.content(with.database());
    const SmallDisk disk{"4m"};
    write_content(disk.path() / "mine.txt", "mine");
    const Outcome refused = with.restore(folder, {"--chroma-to", disk.path().string(), "--yes"});
    EXPECT_EQ(refused.exit_code, 2) << refused.told();
    EXPECT_THAT(refused.err, AllOf(HasSubstr("is a mount point"), HasSubstr("Nothing was changed")));
    EXPECT_EQ(with.content(with.database()), live);
    const Outcome within = with.restore(folder, {"--chroma-to", (disk.path() / "chroma").string(), "--yes"});
    EXPECT_EQ(within.exit_code, 0) << within.told();
}

TEST(Restore, TellsOfTheDatabaseThatIsSwappedWhereTheDirectoryCannotBe) {
    BackupCase with;
    const fs::path folder = with.back_up();
    const fs::path chroma = with.decant().folder() / "chroma";
    fs::create_directory(chroma);
    write_content(chroma / "mine.txt", "mine");
    const Outcome half =
        with.restore(folder, {"--chroma-to", chroma.string(), "--yes"}, {"DECANT_FAILPOINT=restore.placing:1:error"});
    EXPECT_NE(half.exit_code, 0) << half.told();
    EXPECT_THAT(half.err, AllOf(HasSubstr(with.databases(with.database() + "\\_before\\_%")), HasSubstr("is restored"),
                                HasSubstr("tar -xzf"), Not(HasSubstr("Nothing was changed"))));
    EXPECT_TRUE(fs::exists(chroma / "mine.txt"));
    for (const auto& entry : fs::directory_iterator{with.decant().folder()})
        EXPECT_THAT(entry.path().filename().string(), Not(HasSubstr("chroma_before"))) << "the restored one is left";
}

TEST(Restore, LeavesAChromaDirectoryAloneThatAnotherProcessHasOpen) {
    BackupCase with;
    const fs::path folder = with.back_up();
    const fs::path live = with.catalog().source().path();
    sqlite3* open = nullptr;
    ASSERT_EQ(sqlite3_open((live / "chroma.sqlite3").c_str(), &open), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(open, "SELECT count(*) FROM embeddings", nullptr, nullptr, nullptr), SQLITE_OK);
    const std::string copy = with.database() + "_c";
    const Outcome refused = with.restore(folder, {"--into", copy, "--chroma-to", live.string(), "--yes"});
    sqlite3_close(open);
    EXPECT_EQ(refused.exit_code, 75) << refused.told();
    EXPECT_THAT(refused.err, HasSubstr("chroma.sqlite3 open"));
    EXPECT_EQ(with.databases(copy), "") << "the database was put in place without the directory";
}

}  // namespace
}  // namespace decant::test
