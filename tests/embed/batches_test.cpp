#include "embed/detail/batches.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <numeric>

namespace decant::embed::detail {
namespace {

RC_GTEST_PROP(BatchesByLength, PutEveryTextInOneBatchWithAtMostATenthPadding, ()) {
    const auto lengths = *rc::gen::container<std::vector<std::size_t>>(rc::gen::inRange<std::size_t>(2, 513));
    std::vector<std::size_t> seen;
    for (const auto& batch : batches_by_length(lengths)) {
        std::size_t tokens = 0;
        std::size_t longest = 0;
        for (const std::size_t place : batch) {
            tokens += lengths[place];
            longest = std::max(longest, lengths[place]);
            seen.push_back(place);
        }
        const std::size_t padded = longest * batch.size();
        RC_ASSERT(lengths[batch.front()] == longest);
        RC_ASSERT(batch.size() <= 32U && padded <= 4096U);
        RC_ASSERT((padded - tokens) * 10 <= padded);
    }
    std::ranges::sort(seen);
    std::vector<std::size_t> all(lengths.size());
    std::iota(all.begin(), all.end(), std::size_t{0});
    RC_ASSERT(seen == all);
}

TEST(BatchesByLength, FillBatchesOfEqualTexts) {
    EXPECT_EQ(batches_by_length(std::vector<std::size_t>(64, 60)).size(), 2U);
    EXPECT_EQ(batches_by_length(std::vector<std::size_t>(16, 512)).size(), 2U);
}

}  // namespace
}  // namespace decant::embed::detail
