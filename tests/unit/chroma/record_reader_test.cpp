#include "chroma/record_reader.hpp"

#include <gtest/gtest.h>

#include <ostream>

#include "tests/unit/chroma/fixture.hpp"

namespace decant::chroma::test {

namespace {

std::vector<FixtureName> fixtures_with_truth() {
    std::vector<FixtureName> names = all_fixtures();
    std::erase_if(names, [](const FixtureName& name) { return !has_truth(name); });
    return names;
}

std::string test_name(const testing::TestParamInfo<FixtureName>& info) {
    std::string name = std::to_string(info.index) + "_" + info.param.label();
    std::replace_if(
        name.begin(), name.end(), [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; }, '_');
    return name;
}

class RecordReaderOnRealDirectories : public testing::TestWithParam<FixtureName> {};

TEST_P(RecordReaderOnRealDirectories, GivesEveryRecordAsChromaDoes) {
    const Truth truth = read_truth(GetParam());
    const Fixture fixture{GetParam()};
    const Directory directory = Directory::open(fixture.directory());
    EXPECT_EQ(directory.collections().size(), truth.size());
    for (const Collection& collection : directory.collections()) {
        const auto& expected = truth.at(collection.id);
        const auto reader = directory.read(collection);
        EXPECT_EQ(reader->record_count(), expected.size());
        EXPECT_TRUE(reader->lost().empty());
        std::string last;
        std::size_t count = 0;
        read_all(*reader, 100, [&](const Record& record) {
            const std::string id{record.id};
            ASSERT_TRUE(expected.contains(id)) << id;
            EXPECT_EQ(difference(record, expected.at(id), collection), "") << id;
            EXPECT_TRUE(count == 0 || last < id) << last << " before " << id;
            last = id;
            ++count;
        });
        EXPECT_EQ(count, expected.size()) << collection.name;
    }
}

INSTANTIATE_TEST_SUITE_P(Fixtures, RecordReaderOnRealDirectories, testing::ValuesIn(fixtures_with_truth()), test_name);

}  // namespace
}  // namespace decant::chroma::test
