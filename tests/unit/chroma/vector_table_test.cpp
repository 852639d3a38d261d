#include "chroma/vector_table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "catalog/similarity.hpp"
#include "core/error.hpp"

namespace decant::chroma {
namespace {

using Vectors = std::vector<std::vector<float>>;

/// Records r0, r1, ... from memory, with metadata sku s0, s1, ...
class MemoryReader final : public RecordReader {
public:
    MemoryReader(Vectors vectors, std::size_t dimension) : vectors_(std::move(vectors)) {
        collection_.name = "products";
        collection_.dimension = static_cast<std::uint32_t>(dimension);
        for (std::size_t i = 0; i < vectors_.size(); ++i) {
            ids_.push_back("r" + std::to_string(i));
            skus_.push_back("s" + std::to_string(i));
        }
    }

    const Collection& collection() const noexcept override { return collection_; }
    std::uint64_t record_count() const noexcept override { return vectors_.size() - uncounted; }
    const std::vector<LostRecord>& lost() const noexcept override { return lost_records; }
    std::span<const Record> next_page(std::size_t limit) override {
        metadata_.clear();
        page_.clear();
        const std::size_t end = std::min(at_ + limit, vectors_.size());
        metadata_.reserve(end - at_);
        for (; at_ < end; ++at_) {
            metadata_.push_back({"sku", Scalar{std::string_view{skus_[at_]}}});
            page_.push_back({.id = ids_[at_],
                             .document = {},
                             .metadata = std::span{&metadata_.back(), 1},
                             .vector = vectors_[at_]});
        }
        return page_;
    }
    void seek_after(std::string_view) override {}
    void rewind() override { at_ = 0; }
    std::string fingerprint() const override { return ""; }

    std::vector<LostRecord> lost_records;
    std::size_t uncounted = 0;

private:
    Collection collection_;
    Vectors vectors_;
    std::vector<std::string> ids_;
    std::vector<std::string> skus_;
    std::vector<MetadataEntry> metadata_;
    std::vector<Record> page_;
    std::size_t at_ = 0;
};

VectorTable table_of(const Vectors& vectors, std::size_t dimension) {
    MemoryReader reader{vectors, dimension};
    return VectorTable{reader, {}};
}

std::vector<RankedRow> all_of(Ranking& ranking, std::size_t page) {
    std::vector<RankedRow> rows;
    for (auto next = ranking.next(page); !next.empty(); next = ranking.next(page))
        rows.insert(rows.end(), next.begin(), next.end());
    return rows;
}

/// Few different values, so that there are equal similarities.
const auto component = rc::gen::map(rc::gen::inRange(-3, 4), [](int n) { return static_cast<float>(n); });

RC_GTEST_PROP(Ranking, IsAPlainSortOfAllCosinesWhateverThePages, ()) {
    const auto dimension = *rc::gen::inRange<std::size_t>(1, 40);
    const auto nonzero =
        rc::gen::suchThat(rc::gen::container<std::vector<float>>(dimension, component),
                          [](const auto& v) { return std::ranges::any_of(v, [](float value) { return value != 0; }); });
    const auto vectors = *rc::gen::container<Vectors>(nonzero);
    const auto question = *nonzero;
    const auto page = *rc::gen::inRange<std::size_t>(1, 50);
    const double threshold = *rc::gen::element(-1.0, 0.0, 0.5);
    const VectorTable table = table_of(vectors, dimension);
    Ranking ranking{table, question, threshold};
    const std::vector<RankedRow> rows = all_of(ranking, page);

    std::vector<bool> is_ranked(vectors.size());
    for (const auto& [similarity, row] : rows) {
        RC_ASSERT(!is_ranked[row]);
        is_ranked[row] = true;
        RC_ASSERT(std::abs(static_cast<double>(similarity) - catalog::cosine(question, vectors[row])) < 1e-5);
    }
    RC_ASSERT(std::ranges::is_sorted(rows, [](const RankedRow& a, const RankedRow& b) {
        return a.similarity != b.similarity ? a.similarity > b.similarity : a.row < b.row;
    }));
    for (std::size_t row = 0; row < vectors.size(); ++row) {
        const double cosine = catalog::cosine(question, vectors[row]);
        if (std::abs(cosine - threshold) > 1e-5 || threshold == -1) RC_ASSERT(is_ranked[row] == (cosine >= threshold));
    }
}

TEST(Ranking, GivesNothingOfAnEmptyCollection) {
    const VectorTable table = table_of({}, 4);
    EXPECT_TRUE((Ranking{table, std::vector<float>{1, 0, 0, 0}, -1}.next(10).empty()));
}

TEST(Ranking, IsOfDirectionsHoweverLongTheVectorsAre) {
    constexpr float huge = std::numeric_limits<float>::max();
    constexpr float tiny = std::numeric_limits<float>::denorm_min();
    const VectorTable table = table_of({{huge, huge}, {tiny, 0}, {0, -5}}, 2);
    Ranking ranking{table, std::vector<float>{huge, 0}, -1};
    const auto rows = all_of(ranking, 10);
    ASSERT_EQ(rows.size(), 3U);
    EXPECT_EQ(rows[0].row, 1U);
    EXPECT_FLOAT_EQ(rows[0].similarity, 1);
    EXPECT_NEAR(rows[1].similarity, std::sqrt(0.5), 1e-6);
    EXPECT_NEAR(rows[2].similarity, 0, 1e-6);
}

TEST(VectorTable, LeavesOutAndCountsVectorsThatDoNotCompare) {
    constexpr float nan = std::numeric_limits<float>::quiet_NaN();
    constexpr float infinity = std::numeric_limits<float>::infinity();
    MemoryReader reader{{{1, 0}, {nan, 1}, {1, infinity}, {0, 0}, {1, 2, 3}, {}, {0, 1}}, 2};
    reader.lost_records = {{"gone", "vector: no"}};
    const VectorTable table{reader, {}};
    ASSERT_EQ(table.size(), 2U);
    EXPECT_EQ(table.names(0).record_id, "r0");
    EXPECT_EQ(table.names(1).record_id, "r6");
    EXPECT_EQ(table.names(1).sku, "s6");
    EXPECT_EQ(table.unusable().not_finite, 2U);
    EXPECT_EQ(table.unusable().zero, 1U);
    EXPECT_EQ(table.unusable().other_length, 2U);
    EXPECT_EQ(table.unusable().lost, 1U);
    EXPECT_EQ(table.unusable().total(), 6U);
}

TEST(VectorTable, TellsTheMemoryThatItHolds) {
    const VectorTable table = table_of(Vectors(100, std::vector<float>(384, 1.0F)), 384);
    EXPECT_GE(table.bytes(), 100U * 384U * 4U);
    EXPECT_LE(table.bytes(), 100U * (384U * 4U + 100U));
}

TEST(VectorTable, StopsWhenItIsNoLongerWanted) {
    MemoryReader reader{Vectors(10, {1, 0}), 2};
    std::stop_source source;
    source.request_stop();
    try {
        const VectorTable table{reader, source.get_token()};
        FAIL() << "was read";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::cancelled);
    }
}

TEST(VectorTable, RefusesMoreRecordsThanWereCounted) {
    MemoryReader reader{Vectors(10, {1, 0}), 2};
    reader.uncounted = 3;
    try {
        const VectorTable table{reader, {}};
        FAIL() << "was read";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::source_changed);
    }
}

}  // namespace
}  // namespace decant::chroma
