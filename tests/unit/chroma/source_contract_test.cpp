// What every source promises, whatever it reads from: run on directories and on servers of both APIs with the same
// content.

#include <gtest/gtest.h>

#include <array>
#include <cctype>
#include <cmath>
#include <memory>
#include <tuple>

#include "chroma/source.hpp"
#include "core/error.hpp"
#include "tests/support/fake_chroma.hpp"
#include "tests/unit/chroma/fixture.hpp"

namespace decant::chroma::test {
namespace {

using decant::test::FakeChroma;

enum class Kind { directory, server_v1, server_v2 };

class SourceContract : public testing::TestWithParam<std::tuple<Kind, const char*>> {
protected:
    SourceContract() {
        const auto [kind, label] = GetParam();
        if (kind == Kind::directory) {
            source_ = open_source({.from = fixture_.directory().string()});
            return;
        }
        server_ = std::make_unique<FakeChroma>(kind == Kind::server_v1 ? FakeChroma::Api::v1 : FakeChroma::Api::v2);
        server_->take(Directory::open(fixture_.directory()));
        source_ = open_source(server_->address());
    }

    ~SourceContract() override {
        EXPECT_EQ(server_ ? server_->violations() : std::vector<std::string>{}, std::vector<std::string>{});
    }

    std::vector<std::string> ids(RecordReader& reader, std::size_t limit) const {
        std::vector<std::string> ids;
        read_all(reader, limit, [&](const Record& record) { ids.emplace_back(record.id); });
        return ids;
    }

    Fixture fixture_{committed(std::get<1>(GetParam()))};
    std::unique_ptr<FakeChroma> server_;
    std::unique_ptr<Source> source_;
};

TEST_P(SourceContract, ListsTheSameCollections) {
    const Directory directory = Directory::open(fixture_.directory());
    ASSERT_EQ(source_->collections().size(), directory.collections().size());
    for (std::size_t i = 0; i < directory.collections().size(); ++i) {
        const Collection& expected = directory.collections()[i];
        const Collection& given = source_->collections()[i];
        EXPECT_EQ(given.tenant + "/" + given.database + "/" + given.name + "/" + given.id,
                  expected.tenant + "/" + expected.database + "/" + expected.name + "/" + expected.id);
        EXPECT_EQ(given.dimension, expected.dimension) << given.name;
        EXPECT_EQ(given.space, expected.space) << given.name;
    }
}

/// JSON has no NaN: which of them it was is lost, that it was one is not.
bool is_nan_on_both_sides(const Record& record, const TrueRecord& truth) {
    return truth.vector && !truth.vector->empty() && std::isnan(truth.vector->front()) && !record.vector.empty() &&
           std::isnan(record.vector.front());
}

TEST_P(SourceContract, GivesEveryRecordAsChromaDoesInTheOrderOfIds) {
    const Truth truth = read_truth(committed(std::get<1>(GetParam())));
    for (const Collection& collection : source_->collections()) {
        const auto& expected = truth.at(collection.id);
        const auto reader = source_->read(collection);
        EXPECT_EQ(reader->collection().id, collection.id);
        EXPECT_EQ(reader->record_count(), expected.size());
        EXPECT_EQ(source_->survey(collection).records, expected.size());
        EXPECT_TRUE(reader->lost().empty());
        auto next = expected.begin();
        read_all(*reader, 7, [&](const Record& record) {
            ASSERT_NE(next, expected.end());
            EXPECT_EQ(record.id, next->first);
            if (!is_nan_on_both_sides(record, next->second)) {
                EXPECT_EQ(difference(record, next->second, collection), "") << record.id;
            }
            ++next;
        });
        EXPECT_EQ(next, expected.end()) << collection.name;
    }
}

TEST_P(SourceContract, GivesTheSameRecordsWhateverThePageAndAfterRewind) {
    for (const Collection& collection : source_->collections()) {
        const auto reader = source_->read(collection);
        const auto all = ids(*reader, 1'000);
        for (const std::size_t limit : {1U, 3U, 1'000U}) {
            reader->rewind();
            EXPECT_EQ(ids(*reader, limit), all);
        }
    }
}

TEST_P(SourceContract, GoesOnAfterAnyIdThereOrNot) {
    for (const Collection& collection : source_->collections()) {
        const auto reader = source_->read(collection);
        const auto all = ids(*reader, 1'000);
        for (std::size_t i = 0; i < all.size(); ++i) {
            const std::vector<std::string> rest{all.begin() + static_cast<std::ptrdiff_t>(i) + 1, all.end()};
            reader->seek_after(all[i]);
            EXPECT_EQ(ids(*reader, 5), rest) << all[i];
            reader->seek_after(all[i] + '\x01');
            EXPECT_EQ(ids(*reader, 5), rest) << all[i];
        }
    }
}

TEST_P(SourceContract, IsFoundByNameAndUuidAndNamesTheNearest) {
    const Collection& first = source_->collections().front();
    EXPECT_EQ(find_collection(*source_, {.name = first.name}).id, first.id);
    EXPECT_EQ(find_collection(*source_, {.name = first.id}).name, first.name);
    try {
        find_collection(*source_, {.name = first.name + "x"});
        FAIL() << "no error";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::not_found);
        EXPECT_NE(error.remedy().find("'" + first.name + "'"), std::string::npos) << error.remedy();
    }
}

std::string case_name(const testing::TestParamInfo<std::tuple<Kind, const char*>>& info) {
    constexpr std::array kinds{"directory", "server_v1", "server_v2"};
    std::string name = kinds[static_cast<std::size_t>(std::get<0>(info.param))];
    for (const char c : std::string{"_"} + std::get<1>(info.param))
        name += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
    return name;
}

// Ids of any characters, empty collections, lists, values at the edge of their type, updates and deletes.
INSTANTIATE_TEST_SUITE_P(Kinds, SourceContract,
                         testing::Combine(testing::Values(Kind::directory, Kind::server_v1, Kind::server_v2),
                                          testing::Values("1.5.9/edge", "1.5.9/arrays", "1.5.9/crash",
                                                          "1.0.20/config")),
                         case_name);

}  // namespace
}  // namespace decant::chroma::test
