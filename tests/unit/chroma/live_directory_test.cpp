#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "chroma/record_reader.hpp"
#include "core/error.hpp"
#include "tests/unit/chroma/fixture.hpp"

namespace decant::chroma::test {
namespace fs = std::filesystem;
namespace {

void run_sql(sqlite3* db, const std::string& sql) {
    char* message = nullptr;
    ASSERT_EQ(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, &message), SQLITE_OK) << sql << ": " << message;
}

/// Another process that runs SQL on the database, says that it is done with it, and stays in that state until it is
/// killed with this object.
class OtherProcess {
public:
    OtherProcess(const fs::path& database, const std::vector<std::string>& statements) {
        int ready[2];
        if (::pipe(ready) != 0) throw std::runtime_error("pipe failed");
        pid_ = ::fork();
        if (pid_ == 0) {
            sqlite3* db = nullptr;
            bool is_well = sqlite3_open(database.c_str(), &db) == SQLITE_OK;
            for (const std::string& sql : statements) {
                is_well = is_well && sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK;
            }
            const char answer = is_well ? 'y' : 'n';
            static_cast<void>(!::write(ready[1], &answer, 1));
            ::pause();
            ::_exit(0);
        }
        char answer = 0;
        if (::read(ready[0], &answer, 1) != 1 || answer != 'y') throw std::runtime_error("the other process failed");
        ::close(ready[0]);
        ::close(ready[1]);
    }
    OtherProcess(const OtherProcess&) = delete;
    OtherProcess& operator=(const OtherProcess&) = delete;
    ~OtherProcess() { kill(); }

    void kill() {
        if (pid_ > 0) {
            ::kill(pid_, SIGKILL);
            ::waitpid(pid_, nullptr, 0);
            pid_ = 0;
        }
    }

private:
    pid_t pid_ = 0;
};

/// More than the cache holds is changed, so that sqlite writes into the file before the commit, with the old pages in
/// the journal.
const std::vector<std::string> half_a_write{"PRAGMA cache_size = 10", "BEGIN", "DELETE FROM embedding_metadata",
                                            "UPDATE embeddings SET embedding_id = embedding_id || 'x'"};

class LiveDirectory : public testing::Test {
protected:
    FixtureName name_ = committed("0.5.23/products");
    Fixture fixture_{name_};
    fs::path database_ = fixture_.directory() / "chroma.sqlite3";

    void expect_truth(const Directory& directory) {
        const Truth truth = read_truth(name_);
        const Collection& collection = find_collection(directory, {.name = "products_all_products"});
        const auto& expected = truth.at(collection.id);
        std::size_t count = 0;
        read_all(*directory.read(collection), 100, [&](const Record& record) {
            EXPECT_EQ(difference(record, expected.at(std::string{record.id}), collection), "");
            ++count;
        });
        EXPECT_EQ(count, expected.size());
    }
};

TEST_F(LiveDirectory, IsReadInPlaceWhenNobodyUsesIt) {
    EXPECT_FALSE(Directory::open(fixture_.directory()).snapshot());
}

TEST_F(LiveDirectory, IsReadFromACopyThatGoesWithTheDirectoryWhileAnotherProcessHasItOpen) {
    const OtherProcess server{database_, {"SELECT count(*) FROM embeddings"}};
    const TempFolder place;
    ::setenv("TMPDIR", place.path().c_str(), 1);
    {
        const Directory directory = Directory::open(fixture_.directory());
        ASSERT_TRUE(directory.snapshot());
        EXPECT_NE(directory.snapshot()->reason.find("has chroma.sqlite3 open"), std::string::npos);
        EXPECT_EQ(directory.snapshot()->seq_id, 1899U);
        EXPECT_EQ(directory.path(), fixture_.directory());
        expect_truth(directory);
    }
    ::unsetenv("TMPDIR");
    EXPECT_TRUE(fs::is_empty(place.path()));
}

TEST_F(LiveDirectory, RemovesTheCopiesOfProcessesThatWereKilledAndNoOthers) {
    const OtherProcess server{database_, {"SELECT count(*) FROM embeddings"}};
    const TempFolder place;
    ::setenv("TMPDIR", place.path().c_str(), 1);
    const Directory held = Directory::open(fixture_.directory());
    fs::create_directory(place.path() / "decant-snapshot-killed");
    std::ofstream{place.path() / "decant-snapshot-killed" / "in-use.lock"} << "";
    const Directory next = Directory::open(fixture_.directory());
    ::unsetenv("TMPDIR");
    EXPECT_FALSE(fs::exists(place.path() / "decant-snapshot-killed"));
    expect_truth(held);
}

TEST_F(LiveDirectory, IsReadAsBeforeAWriteThatIsNotCommitted) {
    const OtherProcess writer{database_, {"BEGIN IMMEDIATE", "DELETE FROM embedding_metadata"}};
    expect_truth(Directory::open(fixture_.directory()));
}

TEST_F(LiveDirectory, IsRolledBackInTheCopyWhenTheWriterDied) {
    OtherProcess writer{database_, half_a_write};
    writer.kill();
    ASSERT_TRUE(fs::exists(database_.string() + "-journal"));
    const auto journal_bytes = fs::file_size(database_.string() + "-journal");
    const Directory directory = Directory::open(fixture_.directory());
    ASSERT_TRUE(directory.snapshot());
    EXPECT_NE(directory.snapshot()->reason.find("journal"), std::string::npos);
    expect_truth(directory);
    EXPECT_EQ(fs::file_size(database_.string() + "-journal"), journal_bytes) << "the source was touched";
}

TEST_F(LiveDirectory, IsBusyWhileAWriterKeepsReadersOut) {
    const OtherProcess writer{database_, half_a_write};
    try {
        Directory::open(fixture_.directory());
        FAIL() << "was read";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::busy) << error.happened();
    }
}

TEST_F(LiveDirectory, LeavesNoFilesBesideADatabaseThatUsesAWriteAheadLog) {
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open(database_.c_str(), &db), SQLITE_OK);
    run_sql(db, "PRAGMA journal_mode = WAL");
    sqlite3_close(db);
    expect_truth(Directory::open(fixture_.directory()));
    EXPECT_FALSE(fs::exists(database_.string() + "-shm"));
}

class ChangedDirectory : public LiveDirectory {
protected:
    Directory directory_ = Directory::open(fixture_.directory());
    std::unique_ptr<RecordReader> reader_ =
        directory_.read(find_collection(directory_, {.name = "products_all_products"}));

    ErrorCode code_of_next_page() {
        try {
            reader_->next_page(100);
        } catch (const Error& error) {
            return error.code();
        }
        return ErrorCode::internal;
    }

    fs::path segment_file(const std::string& name) {
        for (const auto& entry : fs::directory_iterator{fixture_.directory()}) {
            if (entry.is_directory() && fs::file_size(entry.path() / "length.bin") > 4000) {
                segment_ = entry.path();
            }
        }
        return segment_ / name;
    }

    fs::path segment_;
};

TEST_F(ChangedDirectory, IsNoticedWhenARowIsWritten) {
    ASSERT_EQ(reader_->next_page(100).size(), 100U);
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open(database_.c_str(), &db), SQLITE_OK);
    run_sql(db, "DELETE FROM embeddings_queue WHERE seq_id = 1679");
    sqlite3_close(db);
    EXPECT_EQ(code_of_next_page(), ErrorCode::source_changed);
}

TEST_F(ChangedDirectory, IsNoticedWhenTheIndexIsWritten) {
    ASSERT_EQ(reader_->next_page(100).size(), 100U);
    fs::last_write_time(segment_file("data_level0.bin"), fs::file_time_type::clock::now() + std::chrono::seconds{1});
    EXPECT_EQ(code_of_next_page(), ErrorCode::source_changed);
}

TEST_F(ChangedDirectory, DoesNotKillTheProcessWhenAFileIsCutWhileItIsMapped) {
    for (const auto& entry : fs::directory_iterator{fixture_.directory()}) {
        if (entry.is_directory()) fs::resize_file(entry.path() / "data_level0.bin", 0);
    }
    EXPECT_EQ(code_of_next_page(), ErrorCode::source_changed);
}

}  // namespace
}  // namespace decant::chroma::test
