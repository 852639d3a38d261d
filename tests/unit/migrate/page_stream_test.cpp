#include "migrate/page_stream.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>

#include "core/error.hpp"

namespace decant::migrate {
namespace {

/// Gives `count` records r00000, r00001, …; every tenth has a vector of the wrong length. Fails at `fails_at`.
class CountingReader final : public chroma::RecordReader {
public:
    explicit CountingReader(std::size_t count, std::size_t fails_at = SIZE_MAX) : count_(count), fails_at_(fails_at) {}
    const chroma::Collection& collection() const noexcept override { return collection_; }
    std::uint64_t record_count() const noexcept override { return count_; }
    const std::vector<chroma::LostRecord>& lost() const noexcept override { return lost_; }
    std::span<const chroma::Record> next_page(std::size_t limit) override {
        ids_.clear();
        page_.clear();
        for (; next_ < count_ && ids_.size() < limit; ++next_) {
            if (next_ == fails_at_) throw Error{ErrorCode::source_changed, "changed", "again"};
            ids_.push_back(fmt::format("r{:05}", next_));
        }
        for (std::size_t i = 0; i < ids_.size(); ++i) {
            const std::size_t number = next_ - ids_.size() + i;
            page_.push_back({.id = ids_[i], .vector = std::span{vector_}.first(number % 10 == 9 ? 1 : 2)});
        }
        return page_;
    }
    void seek_after(std::string_view) override {}
    void rewind() override { next_ = 0; }
    std::string fingerprint() const override { return ""; }

private:
    chroma::Collection collection_;
    std::vector<chroma::LostRecord> lost_;
    std::size_t count_;
    std::size_t fails_at_;
    std::size_t next_ = 0;
    std::array<float, 2> vector_{1.0F, 2.0F};
    std::vector<std::string> ids_;
    std::vector<chroma::Record> page_;
};

constexpr RowShape shape{.dimension = 2};

TEST(PageStream, GivesEveryRecordOnceAsRowOrReject) {
    CountingReader reader{1'000};
    PageStream pages{reader, shape, {.rows = 300}, true};
    std::uint64_t read = 0;
    std::size_t rows = 0;
    std::size_t rejects = 0;
    while (const auto page = pages.next()) {
        EXPECT_EQ(page->read, page->rows() + page->rejects.size());
        read += page->read;
        rows += page->rows();
        rejects += page->rejects.size();
        if (read == 300) {
            EXPECT_EQ(page->last_id, "r00299");
        }
    }
    EXPECT_EQ(read, 1'000U);
    EXPECT_EQ(rows, 900U);
    EXPECT_EQ(rejects, 100U);
}

TEST(PageStream, EndsAPageNearItsByteLimit) {
    CountingReader reader{1'000};
    PageStream pages{reader, shape, {.rows = 1'000, .bytes = 1}, false};
    const auto page = pages.next();
    ASSERT_TRUE(page);
    EXPECT_EQ(page->read, 16U);
}

TEST(PageStream, RethrowsWhatTheReaderThrew) {
    CountingReader reader{1'000, 700};
    PageStream pages{reader, shape, {.rows = 100}, false};
    EXPECT_THROW(while (pages.next()){}, Error);
}

TEST(PageStream, StopsReadingWhenItIsDestroyedEarly) {
    CountingReader reader{100'000};
    PageStream pages{reader, shape, {.rows = 100, .bytes = 1'000}, false};
    EXPECT_TRUE(pages.next());
}

TEST(PageStream, LeavesNameTheIdAndDigestOfEachRow) {
    CountingReader reader{9};
    PageStream pages{reader, shape, {}, true};
    const auto page = pages.next();
    ASSERT_TRUE(page);
    std::string_view leaves = page->leaves;
    std::size_t row = 0;
    while (const auto leaf = take_leaf(leaves)) {
        EXPECT_EQ(leaf->id, page->id(row));
        std::string expected;
        append_leaf(page->image(row), expected);
        EXPECT_TRUE(expected.ends_with(leaf->digest));
        ++row;
    }
    EXPECT_EQ(row, 9U);
}

TEST(PageStream, RefusesLeavesThatWereCut) {
    std::string_view cut{"\0\0\0\5ab", 6};
    EXPECT_THROW(take_leaf(cut), Error);
}

}  // namespace
}  // namespace decant::migrate
