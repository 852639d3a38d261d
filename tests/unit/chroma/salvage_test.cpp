#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>
#include <fstream>

#include "chroma/record_reader.hpp"
#include "core/error.hpp"
#include "tests/unit/chroma/fixture.hpp"

namespace decant::chroma::test {
namespace fs = std::filesystem;
namespace {

struct Salvage {
    std::size_t read = 0;
    std::size_t lost = 0;
};

/// Reads all that can be had of every collection; each record must be the true one, and none may be unaccounted for.
Salvage salvage(const fs::path& directory_path, const Truth& truth) {
    Salvage salvage;
    const Directory directory = Directory::open(directory_path);
    for (const Collection& collection : directory.collections()) {
        const auto& expected = truth.at(collection.id);
        const auto reader = directory.read(collection);
        EXPECT_EQ(reader->record_count() + reader->lost().size(), expected.size());
        std::size_t count = 0;
        read_all(*reader, 64, [&](const Record& record) {
            const std::string id{record.id};
            EXPECT_EQ(difference(record, expected.at(id), collection), "") << id;
            ++count;
        });
        EXPECT_EQ(count, reader->record_count());
        for (const LostRecord& lost : reader->lost()) {
            EXPECT_TRUE(expected.contains(lost.id)) << lost.id;
            EXPECT_FALSE(lost.reason.empty());
        }
        salvage.read += count;
        salvage.lost += reader->lost().size();
    }
    return salvage;
}

/// The folder of the vector segment with the most elements.
fs::path largest_segment(const fs::path& directory) {
    fs::path largest;
    std::uintmax_t most = 0;
    for (const auto& entry : fs::directory_iterator{directory}) {
        const fs::path data = entry.path() / "data_level0.bin";
        if (entry.is_directory() && fs::file_size(data) > most) {
            most = fs::file_size(data);
            largest = entry.path();
        }
    }
    return largest;
}

/// Overwrites the leaf of embedding_metadata that has this document: its key and its value lie side by side there.
void overwrite_metadata_page(const fs::path& database, const std::string& document) {
    constexpr std::size_t page_bytes = 4096;
    constexpr char table_leaf = 0x0d;
    std::ifstream in{database, std::ios::binary};
    const std::string bytes{std::istreambuf_iterator<char>{in}, {}};
    std::size_t at = bytes.find("chroma:document" + document);
    while (at != std::string::npos && bytes[at / page_bytes * page_bytes] != table_leaf) {
        at = bytes.find("chroma:document" + document, at + 1);
    }
    ASSERT_NE(at, std::string::npos);
    std::fstream out{database, std::ios::in | std::ios::out | std::ios::binary};
    out.seekp(static_cast<std::streamoff>(at / page_bytes * page_bytes));
    out << std::string(page_bytes, '\xa5');
}

/// Gives a record a document of many pages, and zeroes the first of them that holds nothing else.
void damage_long_document(const fs::path& database, const std::string& id) {
    constexpr std::size_t page_bytes = 4096;
    constexpr std::size_t pointer_bytes = 4;
    sqlite3* db = nullptr;
    const std::string sql =
        "UPDATE embedding_metadata SET string_value = replace(hex(zeroblob(10000)), '0', 'Q') WHERE key = "
        "'chroma:document' AND id = (SELECT id FROM embeddings WHERE embedding_id = '" +
        id + "')";
    const bool is_open = sqlite3_open(database.c_str(), &db) == SQLITE_OK;
    const bool is_changed = is_open && sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK;
    sqlite3_close(db);
    ASSERT_TRUE(is_changed);
    std::ifstream in{database, std::ios::binary};
    const std::string bytes{std::istreambuf_iterator<char>{in}, {}};
    const std::string text(page_bytes - pointer_bytes, 'Q');
    std::size_t page = 0;
    const auto goes_on = [&] { return bytes.compare(page, pointer_bytes, std::string(pointer_bytes, '\0')) != 0; };
    while (page < bytes.size() && (bytes.compare(page + pointer_bytes, text.size(), text) != 0 || !goes_on()))
        page += page_bytes;
    ASSERT_LT(page, bytes.size());
    std::fstream out{database, std::ios::in | std::ios::out | std::ios::binary};
    out.seekp(static_cast<std::streamoff>(page));
    out << std::string(page_bytes, '\0');
}

/// l2_768: 50 records of l2 by chromadb 0.5.23, 40 of them in the index, 10 only in the queue, which was purged.
class SalvageOfL2 : public testing::Test {
protected:
    FixtureName name_ = committed("0.5.23/l2_768");
    Truth truth_ = read_truth(name_);
    Fixture fixture_{name_};
    fs::path segment_ = largest_segment(fixture_.directory());
};

TEST_F(SalvageOfL2, GivesEverythingWhenOnlyTheNormsAreMissing) {
    fs::remove(segment_ / "length.bin");
    EXPECT_EQ(salvage(fixture_.directory(), truth_).read, 50U);
}

TEST_F(SalvageOfL2, GivesWhatTheQueueProvesWithoutThePickle) {
    fs::remove(segment_ / "index_metadata.pickle");
    // The ten of the queue's tail, and the one that a purge leaves behind.
    EXPECT_EQ(salvage(fixture_.directory(), truth_).read, 11U);
}

TEST_F(SalvageOfL2, LosesEveryVectorOfTheIndexWithoutItsHeader) {
    fs::remove(segment_ / "header.bin");
    EXPECT_EQ(salvage(fixture_.directory(), truth_).read, 11U);
}

/// products: cosine, 1,190 records by chromadb 0.5.23, and a second collection of 240.
class SalvageOfProducts : public testing::Test {
protected:
    static constexpr std::size_t all = 1430;
    FixtureName name_ = committed("0.5.23/products");
    Truth truth_ = read_truth(name_);
    Fixture fixture_{name_};
    fs::path segment_ = largest_segment(fixture_.directory());
};

TEST_F(SalvageOfProducts, GivesTheElementsBeforeTheCutOfTheData) {
    fs::resize_file(segment_ / "data_level0.bin", fs::file_size(segment_ / "data_level0.bin") / 2);
    const Salvage got = salvage(fixture_.directory(), truth_);
    EXPECT_GT(got.read, all / 3);
    EXPECT_GT(got.lost, all / 3);
}

TEST_F(SalvageOfProducts, DoesNotGiveDirectionsForVectorsWithoutNorm) {
    fs::remove(segment_ / "length.bin");
    EXPECT_GT(salvage(fixture_.directory(), truth_).lost, 1100U);
}

TEST_F(SalvageOfProducts, LosesOnlyTheRecordsOfADamagedMetadataPage) {
    overwrite_metadata_page(fixture_.directory() / "chroma.sqlite3", "documento nuevo 167 ");
    const Salvage got = salvage(fixture_.directory(), truth_);
    EXPECT_GT(got.lost, 0U);
    EXPECT_LT(got.lost, 100U);
}

TEST_F(SalvageOfProducts, LosesOnlyTheRecordOfALongDocumentThatIsDamaged) {
    damage_long_document(fixture_.directory() / "chroma.sqlite3", "prod-5");
    const Salvage got = salvage(fixture_.directory(), truth_);
    EXPECT_EQ(got.lost, 1U);
    EXPECT_EQ(got.read, all - 1);
}

TEST_F(SalvageOfProducts, DoesNotTakeAnAddThatWasIgnoredForTheVector) {
    fs::remove(segment_ / "index_metadata.pickle");
    salvage(fixture_.directory(), truth_);
    const Directory directory = Directory::open(fixture_.directory());
    const auto reader = directory.read(find_collection(directory, {.name = "products_all_products"}));
    EXPECT_TRUE(std::ranges::any_of(reader->lost(), [](const LostRecord& lost) { return lost.id == "prod-404"; }));
}

TEST(SalvageOfAnUnpurgedQueue, GivesEverythingWithoutAnyIndexFile) {
    const FixtureName name = committed("0.4.24/edge");
    const Truth truth = read_truth(name);
    const Fixture fixture{name};
    std::size_t all = 0;
    for (const auto& [uuid, records] : truth) {
        all += records.size();
    }
    for (const auto& entry : fs::directory_iterator{fixture.directory()}) {
        if (entry.is_directory()) fs::remove(entry.path() / "index_metadata.pickle");
    }
    const Directory directory = Directory::open(fixture.directory());
    std::size_t read = 0;
    for (const Collection& collection : directory.collections()) {
        read += directory.read(collection)->record_count();
    }
    EXPECT_EQ(read, all);
}

TEST_F(SalvageOfProducts, NamesWhatIsDamaged) {
    fs::remove(segment_ / "index_metadata.pickle");
    const Directory directory = Directory::open(fixture_.directory());
    const CollectionSurvey survey = directory.survey(find_collection(directory, {.name = "products_all_products"}));
    EXPECT_EQ(survey.records, 1190U);
    EXPECT_EQ(survey.vectors_in_hnsw, 0U);
    EXPECT_GT(survey.records_lost, 1100U);
    ASSERT_FALSE(survey.findings.empty());
    EXPECT_EQ(survey.findings.front().object, segment_.filename().string() + "/index_metadata.pickle");
}

/// Every file cut at every 4 KiB, and at every byte of its first 128.
class SalvageOfCutFiles : public SalvageOfProducts, public testing::WithParamInterface<const char*> {};

TEST_P(SalvageOfCutFiles, NeverGivesWhatIsNotTrue) {
    const bool is_database = std::string_view{GetParam()} == "chroma.sqlite3";
    const fs::path file = (is_database ? fixture_.directory() : segment_) / GetParam();
    std::vector<std::uintmax_t> cuts;
    for (std::uintmax_t size = 0; size < fs::file_size(file); size += size < 128 ? 1 : 4096) {
        cuts.push_back(size);
    }
    for (auto cut = cuts.rbegin(); cut != cuts.rend(); ++cut) {
        fs::resize_file(file, *cut);
        try {
            salvage(fixture_.directory(), truth_);
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ErrorCode::source_unreadable) << error.happened();
        }
        ASSERT_FALSE(HasFailure()) << GetParam() << " cut to " << *cut << " bytes";
    }
}

INSTANTIATE_TEST_SUITE_P(Files, SalvageOfCutFiles,
                         testing::Values("chroma.sqlite3", "header.bin", "data_level0.bin", "length.bin",
                                         "link_lists.bin", "index_metadata.pickle"));

class DamagedDirectory : public testing::TestWithParam<FixtureName> {};

/// The damaged directories are made from `products` of the same version.
TEST_P(DamagedDirectory, GivesOnlyWhatIsTrue) {
    const Fixture fixture{GetParam()};
    const Salvage got = salvage(fixture.directory(), read_truth({GetParam().root, GetParam().version, "products"}));
    RecordProperty("read", static_cast<int>(got.read));
    RecordProperty("lost", static_cast<int>(got.lost));
    EXPECT_GT(got.read, 0U);
}

std::vector<FixtureName> damaged_fixtures() {
    std::vector<FixtureName> names = all_fixtures();
    std::erase_if(names, [](const FixtureName& name) { return !name.name.starts_with("damaged"); });
    return names;
}

INSTANTIATE_TEST_SUITE_P(Fixtures, DamagedDirectory, testing::ValuesIn(damaged_fixtures()));
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(DamagedDirectory);

}  // namespace
}  // namespace decant::chroma::test
