#include "chroma/directory_vectors.hpp"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <filesystem>
#include <thread>

#include "core/error.hpp"
#include "tests/support/synthetic_chroma.hpp"

namespace decant::chroma {
namespace {

namespace fs = std::filesystem;
using test::sample_record;
using test::SyntheticChroma;

class DirectoryVectorsTest : public testing::Test {
protected:
    DirectoryVectorsTest() { source_.put_samples(0, 50); }

    ErrorCode code_of_current() {
        try {
            vectors_.current();
        } catch (const Error& error) {
            return error.code();
        }
        return ErrorCode::internal;
    }

    SyntheticChroma source_;
    DirectoryVectors vectors_{source_.path(), {.name = "products"}};
};

TEST_F(DirectoryVectorsTest, AreReadOnceWhileNothingIsWritten) {
    const auto table = vectors_.current();
    EXPECT_EQ(table->size(), 50U);
    EXPECT_EQ(vectors_.current(), table);
    EXPECT_EQ(vectors_.current(), table);
}

TEST_F(DirectoryVectorsTest, AreReadAnewAfterEveryKindOfWrite) {
    auto table = vectors_.current();
    const auto expect_new = [&](std::size_t size, const char* after) {
        auto now = vectors_.current();
        EXPECT_NE(now, table) << after;
        EXPECT_EQ(now->size(), size) << after;
        table = std::move(now);
    };
    source_.put_samples(50, 1);
    expect_new(51, "an added record");
    source_.put_samples(7, 1, 1);
    expect_new(51, "a changed record");
    const std::vector<std::string> ids{sample_record(3, source_.dimension()).id};
    source_.remove(ids);
    expect_new(50, "a removed record");
}

/// The clock of a file system has ticks.
TEST_F(DirectoryVectorsTest, AreReadAnewWhenASecondWriteLeavesTheTimeOfTheFirst) {
    const fs::path file = source_.path() / "chroma.sqlite3";
    const auto size = fs::file_size(file);
    const auto time = fs::file_time_type::clock::now();
    fs::last_write_time(file, time);
    const auto table = vectors_.current();
    source_.put_samples(7, 1, 1);
    fs::last_write_time(file, time);
    ASSERT_EQ(fs::file_size(file), size);
    EXPECT_NE(vectors_.current(), table);
}

TEST_F(DirectoryVectorsTest, AreKeptWhenOnlyAnotherCollectionWasWritten) {
    const auto table = vectors_.current();
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open((source_.path() / "chroma.sqlite3").c_str(), &db), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(db, "CREATE TABLE beside (x)", nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(db);
    EXPECT_EQ(vectors_.current(), table);
}

TEST_F(DirectoryVectorsTest, KeepWhatIsInUseAfterAChange) {
    const auto before = vectors_.current();
    source_.put_samples(50, 10);
    EXPECT_EQ(vectors_.current()->size(), 60U);
    EXPECT_EQ(before->size(), 50U);
    EXPECT_EQ(before->names(0).record_id, sample_record(0, source_.dimension()).id);
}

TEST_F(DirectoryVectorsTest, SayThatTheDirectoryOrTheCollectionIsNotThere) {
    EXPECT_NO_THROW(vectors_.current());
    fs::rename(source_.path() / "chroma.sqlite3", source_.path() / "elsewhere");
    EXPECT_EQ(code_of_current(), ErrorCode::not_found);
    fs::rename(source_.path() / "elsewhere", source_.path() / "chroma.sqlite3");
    EXPECT_EQ(vectors_.current()->size(), 50U);
    DirectoryVectors others{source_.path(), {.name = "others"}};
    EXPECT_THROW(others.current(), Error);
}

TEST_F(DirectoryVectorsTest, AreOneForAllThreadsThatAskAfterAChange) {
    const auto before = vectors_.current();
    source_.put_samples(50, 5);
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([this, &before] {
            for (int ask = 0; ask < 20; ++ask) {
                const auto table = vectors_.current();
                EXPECT_TRUE(table == before || table->size() == 55U);
            }
        });
    }
    threads.clear();
    EXPECT_EQ(vectors_.current()->size(), 55U);
    EXPECT_EQ(before->size(), 50U);
}

}  // namespace
}  // namespace decant::chroma
