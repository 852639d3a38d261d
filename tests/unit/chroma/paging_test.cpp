#include <gtest/gtest.h>
#include <sqlite3.h>

#include "chroma/record_reader.hpp"
#include "core/error.hpp"
#include "tests/unit/chroma/fixture.hpp"

namespace decant::chroma::test {
namespace fs = std::filesystem;
namespace {

std::vector<std::string> ids_of(RecordReader& reader, std::size_t limit) {
    std::vector<std::string> ids;
    read_all(reader, limit, [&](const Record& record) { ids.emplace_back(record.id); });
    return ids;
}

/// The queue of `crash` has rows that the metadata segment has not applied: ids appear and vanish between stored ones.
class PagesOfACrashedDirectory : public testing::TestWithParam<const char*> {
protected:
    Fixture fixture_{committed(GetParam())};
    Directory directory_ = Directory::open(fixture_.directory());
    std::unique_ptr<RecordReader> reader_ = directory_.read(directory_.collections().front());
};

TEST_P(PagesOfACrashedDirectory, HaveTheSameRecordsWhateverTheirSize) {
    const std::vector<std::string> all = ids_of(*reader_, 1000);
    EXPECT_EQ(all.size(), reader_->record_count());
    for (const std::size_t limit : {1U, 2U, 7U}) {
        reader_->rewind();
        EXPECT_EQ(ids_of(*reader_, limit), all) << limit;
    }
}

TEST_P(PagesOfACrashedDirectory, GoOnAfterAnyId) {
    const std::vector<std::string> all = ids_of(*reader_, 1000);
    for (std::size_t i = 0; i < all.size(); ++i) {
        reader_->seek_after(all[i]);
        EXPECT_EQ(ids_of(*reader_, 3),
                  (std::vector<std::string>{all.begin() + static_cast<std::ptrdiff_t>(i) + 1, all.end()}));
    }
}

TEST_P(PagesOfACrashedDirectory, GoOnAfterAnIdThatDoesNotExist) {
    reader_->seek_after("c-b");
    EXPECT_EQ(reader_->next_page(1).front().id, "c-ups");
}

INSTANTIATE_TEST_SUITE_P(Versions, PagesOfACrashedDirectory, testing::Values("0.4.24/crash", "1.5.9/crash"));

class Fingerprint : public testing::Test {
protected:
    Fixture fixture_{committed("1.5.9/walonly")};

    static std::string of(const fs::path& path) {
        const Directory directory = Directory::open(path);
        return directory.read(directory.collections().front())->fingerprint();
    }

    void run_sql(const char* sql) {
        sqlite3* db = nullptr;
        ASSERT_EQ(sqlite3_open((fixture_.directory() / "chroma.sqlite3").c_str(), &db), SQLITE_OK);
        EXPECT_EQ(sqlite3_exec(db, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
        sqlite3_close(db);
    }
};

TEST_F(Fingerprint, IsTheSameForACopyOfTheDirectory) {
    const TempFolder copy;
    fs::copy(fixture_.directory(), copy.path(), fs::copy_options::recursive);
    EXPECT_EQ(of(copy.path()), of(fixture_.directory()));
}

TEST_F(Fingerprint, ChangesWithARowOfTheQueue) {
    const std::string before = of(fixture_.directory());
    run_sql("INSERT INTO embeddings_queue (operation, topic, id) SELECT 3, topic, id FROM embeddings_queue LIMIT 1");
    EXPECT_NE(of(fixture_.directory()), before);
}

TEST_F(Fingerprint, ChangesWithARecordThatIsGone) {
    const std::string before = of(fixture_.directory());
    run_sql("DELETE FROM embeddings WHERE id = 50");
    EXPECT_NE(of(fixture_.directory()), before);
}

ErrorCode code_of_finding(const Directory& directory, const CollectionName& wanted) {
    try {
        find_collection(directory, wanted);
    } catch (const Error& error) {
        return error.code();
    }
    return ErrorCode::internal;
}

TEST(FindCollection, TakesANameOrAUuidAndRefusesWhatDoesNotFit) {
    const Fixture fixture{committed("1.0.20/config")};
    const Directory directory = Directory::open(fixture.directory());
    const Collection& cosine = find_collection(directory, {.name = "cfg_cosine"});
    EXPECT_EQ(cosine.space, Space::cosine);
    EXPECT_EQ(find_collection(directory, {.name = cosine.id}).name, "cfg_cosine");
    EXPECT_EQ(code_of_finding(directory, {.name = "cfg_cosinus"}), ErrorCode::not_found);
    EXPECT_EQ(code_of_finding(directory, {.database = "other", .name = "cfg_cosine"}), ErrorCode::not_found);
}

/// The comparison that the other tests rest on.
TEST(Difference, SeesOneBitOfAVectorATypeAndADocument) {
    const Collection collection{.tenant = {},
                                .database = {},
                                .name = {},
                                .id = {},
                                .dimension = 2,
                                .space = Space::l2,
                                .embedding_function = {}};
    const TrueRecord truth{
        .vector = std::vector{1.5F, -2.0F}, .document = "d", .metadata = *detail::parse_json(R"({"n": 1})")};
    std::vector<float> vector{1.5F, -2.0F};
    std::vector<MetadataEntry> metadata{{"n", Scalar{std::int64_t{1}}}};
    Record record{.id = "a", .document = "d", .metadata = metadata, .vector = vector};
    EXPECT_EQ(difference(record, truth, collection), "");
    metadata.front().value = Scalar{1.0};
    EXPECT_EQ(difference(record, truth, collection), "metadata");
    metadata.front().value = Scalar{std::int64_t{1}};
    vector.back() = -2.0000002F;
    EXPECT_EQ(difference(record, truth, collection), "vector");
    record.document.reset();
    EXPECT_EQ(difference(record, truth, collection), "document");
}

}  // namespace
}  // namespace decant::chroma::test
